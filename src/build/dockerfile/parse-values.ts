import type { Arg, From, KeyValues, OnBuild, Value, Values } from "./instruction.ts";
import { pathWords } from "./parse-files.ts";
import { splitBlanks, splitQuoted, type Word } from "./split.ts";
import { failAt, raw, readFlags, type Statement, statementText } from "./statement.ts";

function common(statement: Statement) {
  return { at: statement.at, endLine: statement.line.endLine, text: statementText(statement) };
}

export function parseFrom(statement: Statement): From {
  const flags = readFlags(statement, { values: ["platform"] });
  const words = splitBlanks(statement.rest, statement.restOffset);
  const [image, as, name] = words;
  if (!image) throw failAt(statement, statement.restOffset, "FROM names no image", "write FROM image[:tag] [AS name]");
  if (as && (as.text.toUpperCase() !== "AS" || !name || words.length > 3)) {
    throw failAt(
      statement,
      as.offset,
      "FROM takes an image and an optional 'AS name'",
      "write FROM image[:tag] [AS name]",
    );
  }
  const stage = name?.text.toLowerCase();
  if (name && stage !== undefined && !/^[a-z][a-z0-9_.-]*$/.test(stage)) {
    throw failAt(
      statement,
      name.offset,
      `'${name.text}' cannot be a stage's name`,
      "a name starts with a letter; letters, digits, _ . and - follow",
    );
  }
  if (name && (stage === "scratch" || stage === "context"))
    throw failAt(statement, name.offset, `the name '${stage}' is reserved`);
  const platform = flags.value("platform");
  return {
    ...common(statement),
    kind: "FROM",
    image: raw(statement, image),
    platform: platform && raw(statement, platform),
    as: stage,
  };
}

/** `NAME=value` at the first equals sign. */
function pair(word: Word): { name: Word; value: Word } | undefined {
  const equals = word.text.indexOf("=");
  if (equals < 0) return undefined;
  return {
    name: { text: word.text.slice(0, equals), offset: word.offset },
    value: { text: word.text.slice(equals + 1), offset: word.offset + equals + 1 },
  };
}

export function parseArg(statement: Statement): Arg {
  readFlags(statement, {});
  const words = splitQuoted(statement.rest, statement.escape, statement.restOffset);
  if (words.length === 0)
    throw failAt(statement, statement.restOffset, "ARG names no variable", "write ARG NAME[=default]");
  const args = words.map(word => {
    const split = pair(word);
    const name = split?.name.text ?? word.text;
    if (!/^[\p{L}_][\p{L}\p{N}_.-]*$/u.test(name))
      throw failAt(statement, word.offset, `ARG: '${name}' cannot be a variable's name`);
    return { name, value: split && raw(statement, split.value) };
  });
  return { ...common(statement), kind: "ARG", args };
}

/** ENV and LABEL: `k=v k=v`, or the old `k the rest of the line`. */
export function parseKeyValues(statement: Statement, kind: "ENV" | "LABEL"): KeyValues {
  readFlags(statement, {});
  const words = splitQuoted(statement.rest, statement.escape, statement.restOffset);
  const first = words[0];
  if (!first) throw failAt(statement, statement.restOffset, `${kind} has no name`, `write ${kind} NAME=value`);
  if (!first.text.includes("=")) {
    const text = statement.rest.slice(first.text.length).trimStart();
    if (text === "")
      throw failAt(statement, first.offset, `${kind} ${first.text} has no value`, `write ${kind} ${first.text}=value`);
    const value = { text, offset: statement.restOffset + statement.rest.length - text.length };
    return { ...common(statement), kind, pairs: [{ name: raw(statement, first), value: raw(statement, value) }] };
  }
  const pairs = words.map(word => {
    const split = pair(word);
    if (!split)
      throw failAt(
        statement,
        word.offset,
        `${kind}: '${word.text}' is no NAME=value`,
        "put quotes around a value with blanks",
      );
    if (split.name.text === "") throw failAt(statement, word.offset, `${kind}: a name is missing before '='`);
    return { name: raw(statement, split.name), value: raw(statement, split.value) };
  });
  return { ...common(statement), kind, pairs };
}

export function parseValue(statement: Statement, kind: Value["kind"]): Value {
  readFlags(statement, {});
  if (statement.rest === "") throw failAt(statement, statement.restOffset, `${kind} has no value`);
  return { ...common(statement), kind, value: raw(statement, { text: statement.rest, offset: statement.restOffset }) };
}

export function parseValues(statement: Statement, kind: Values["kind"]): Values {
  readFlags(statement, {});
  const words = kind === "VOLUME" ? pathWords(statement) : splitBlanks(statement.rest, statement.restOffset);
  if (words.length === 0) throw failAt(statement, statement.restOffset, `${kind} has no value`);
  const blank = words.find(word => word.text.trim() === "");
  if (blank) throw failAt(statement, blank.offset, `${kind}: a value is empty`);
  return { ...common(statement), kind, values: words.map(word => raw(statement, word)) };
}

/** The trigger is checked by parsing it, and kept as text. */
export function parseOnBuild(statement: Statement, check: (trigger: Statement) => void, trigger: Statement): OnBuild {
  readFlags(statement, {});
  if (statement.rest === "") throw failAt(statement, statement.restOffset, "ONBUILD has no instruction");
  if (["ONBUILD", "FROM", "MAINTAINER"].includes(trigger.name)) {
    throw failAt(statement, statement.restOffset, `${trigger.name} cannot be an ONBUILD trigger`);
  }
  check(trigger);
  return { ...common(statement), kind: "ONBUILD", trigger: statementText(trigger) };
}
