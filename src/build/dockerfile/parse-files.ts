import { heredocText, heredocWord } from "./heredoc.ts";
import type { Copy, InlineFile, Raw } from "./instruction.ts";
import { jsonList, splitBlanks, type Word } from "./split.ts";
import { failAt, raw, readFlags, type Statement, statementText } from "./statement.ts";

/** Paths of COPY, ADD and VOLUME: a JSON list, or words at blanks. */
export function pathWords(statement: Statement): Word[] {
  const list = jsonList(statement.rest);
  if (list === "not-strings")
    throw failAt(statement, statement.restOffset, `${statement.name}: the list may hold only strings`);
  if (list === "not-json") return splitBlanks(statement.rest, statement.restOffset);
  return list.map(text => ({ text, offset: statement.restOffset }));
}

const shared = ["chown", "chmod"];

/** COPY and ADD. */
export function parseCopy(statement: Statement, kind: "COPY" | "ADD"): Copy {
  const flags = readFlags(
    statement,
    kind === "COPY"
      ? { values: [...shared, "from"], booleans: ["link", "parents"], lists: ["exclude"] }
      : { values: [...shared, "checksum"], booleans: ["link", "keep-git-dir", "unpack"], lists: ["exclude"] },
  );
  const words = pathWords(statement);
  if (words.length < 2) {
    throw failAt(
      statement,
      words[0]?.offset ?? statement.restOffset,
      `${kind} needs at least one source and a destination`,
      `write ${kind} SOURCE… DESTINATION`,
    );
  }
  const destination = words.pop()!;
  if (statement.heredocs.length > 0 && heredocWord(destination.text, statement.escape)) {
    throw failAt(statement, destination.offset, `${kind}: a heredoc cannot be the destination`);
  }
  const { sources, files } = takeInlineFiles(statement, words);
  const from = flags.value("from");
  if (from?.text.includes("$")) {
    throw failAt(
      statement,
      from.offset,
      "--from cannot hold a variable",
      "declare a stage 'FROM image:$TAG AS name' and copy --from=name",
    );
  }
  const option = (name: string): Raw | undefined => {
    const word = flags.value(name);
    return word && raw(statement, word);
  };
  return {
    kind,
    at: statement.at,
    endLine: statement.line.endLine,
    text: statementText(statement),
    sources,
    files,
    destination: raw(statement, destination),
    from: from?.text,
    chown: option("chown"),
    chmod: option("chmod"),
    checksum: option("checksum"),
    exclude: flags.list("exclude").map(word => raw(statement, word)),
    link: flags.boolean("link") ?? false,
    parents: flags.boolean("parents") ?? false,
    keepGit: flags.boolean("keep-git-dir") ?? false,
    unpack: flags.boolean("unpack"),
  };
}

/** Sources that open a heredoc become files named after it. */
function takeInlineFiles(statement: Statement, words: Word[]): { sources: Raw[]; files: InlineFile[] } {
  const sources: Raw[] = [];
  const files: InlineFile[] = [];
  const bodies = [...statement.heredocs];
  for (const word of words) {
    const opened = bodies.length > 0 ? heredocWord(word.text, statement.escape) : undefined;
    if (!opened) {
      sources.push(raw(statement, word));
      continue;
    }
    const heredoc = bodies.shift()!;
    files.push({ name: heredoc.name, text: heredocText(heredoc), expand: heredoc.expand });
  }
  return { sources, files };
}
