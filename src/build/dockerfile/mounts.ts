import type { MountKind, RunMount } from "./instruction.ts";
import { positionAt } from "./lines.ts";
import type { Word } from "./split.ts";
import { failAt, type Statement } from "./statement.ts";
import { nearest } from "./suggest.ts";

/** Fields of each kind; the spellings on the left are other names for those on the right. */
const aliases: Record<string, string> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
  rw: "readwrite",
};

const fieldsOf: Record<MountKind, readonly string[]> = {
  bind: ["target", "source", "from", "readonly", "readwrite"],
  cache: ["id", "target", "source", "from", "sharing", "readonly", "readwrite", "mode", "uid", "gid"],
  tmpfs: ["target", "size"],
  secret: ["id", "target", "env", "required", "mode", "uid", "gid", "source"],
  ssh: ["id", "target", "required", "mode", "uid", "gid", "source"],
};

const kinds = Object.keys(fieldsOf);
const booleans = ["readonly", "readwrite", "required"];

function isKind(text: string): text is MountKind {
  return kinds.includes(text);
}

/** Comma-separated, a field may be quoted as in CSV (RFC 4180). */
function csv(text: string): string[] {
  return Array.from(
    text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g),
    match => match[1]?.replaceAll('""', '"') ?? match[2] ?? "",
  );
}

function checkField(statement: Statement, word: Word, kind: MountKind, name: string, value: string) {
  if (value.includes("$")) return;
  const fail = (hint: string) => failAt(statement, word.offset, `--mount ${name} is '${value}'`, hint);
  if (booleans.includes(name) && !/^(true|false|1|0)$/i.test(value)) throw fail("it takes true or false");
  if (name === "mode" && !/^0?[0-7]{1,4}$/.test(value)) throw fail("it is octal, e.g. 0400");
  if ((name === "uid" || name === "gid") && !/^\d{1,10}$/.test(value)) throw fail("it is a number");
  if (name === "sharing" && !["shared", "private", "locked"].includes(value))
    throw fail("it is shared, private or locked");
  if (name === "size" && !/^\d{1,15}([kmgt]i?b?|b)?$/i.test(value)) throw fail("it is bytes, or has a unit: 64m, 1g");
  if (name === "target" && value === "") throw fail(`where should the ${kind} be mounted?`);
}

/** One `--mount=type=…,key=value`. A missing type is bind, as in Docker. */
export function parseMount(statement: Statement, word: Word): RunMount {
  const fields: Record<string, string> = {};
  for (const item of csv(word.text)) {
    const equals = item.indexOf("=");
    const typed = (equals < 0 ? item : item.slice(0, equals)).trim().toLowerCase();
    const name = aliases[typed] ?? typed;
    if (equals < 0 && !booleans.includes(name)) {
      throw failAt(
        statement,
        word.offset,
        `--mount has '${item}' where key=value is expected`,
        "e.g. --mount=type=cache,target=/root/.cache",
      );
    }
    fields[name] = equals < 0 ? "true" : item.slice(equals + 1);
  }
  const kind = fields["type"] ?? "bind";
  delete fields["type"];
  if (!isKind(kind)) {
    const meant = nearest(kind, kinds);
    throw failAt(
      statement,
      word.offset,
      `--mount type '${kind}' is unknown`,
      meant ? `did you mean ${meant}?` : `it is one of ${kinds.join(", ")}`,
    );
  }
  for (const [name, value] of Object.entries(fields)) {
    if (!fieldsOf[kind].includes(name)) {
      const meant = nearest(name, fieldsOf[kind]);
      const hint = meant ? `did you mean ${meant}?` : `it has ${fieldsOf[kind].join(", ")}`;
      throw failAt(statement, word.offset, `--mount type=${kind} has no field '${name}'`, hint);
    }
    checkField(statement, word, kind, name, value);
  }
  const needsTarget = kind === "bind" || kind === "cache" || kind === "tmpfs";
  if (needsTarget && fields["target"] === undefined)
    throw failAt(statement, word.offset, `--mount type=${kind} has no target`, "add target=/path");
  if (kind === "secret" && !fields["id"] && !fields["target"] && !fields["source"] && !fields["env"]) {
    throw failAt(statement, word.offset, "--mount type=secret names no secret", "add id=NAME");
  }
  if (fields["from"]?.includes("$")) {
    throw failAt(
      statement,
      word.offset,
      "--mount from cannot hold a variable",
      "name the stage or image itself: the graph of stages is fixed before variables are known",
    );
  }
  return { kind, at: positionAt(statement.line, word.offset), fields };
}
