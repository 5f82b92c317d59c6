import { BerthError } from "../../base/errors.ts";

/**
 * The part of Go's text/template that --format is used with: fields, `$`-less pipelines, json, join, index, len, upper, lower, title, split, printf, println,
 * eq, ne, and, or, not, if / else if / else / with / range / end, and {{- trimming -}}.
 */
export function compileTemplate(text: string): (data: unknown) => string {
  const tokens = tokenize(text);
  const nodes = parseNodes(tokens, text, []);
  if (tokens.length > 0) throw badTemplate(text, `unexpected {{${tokens[0]!.text}}}`);
  return data => renderNodes(nodes, data, data);
}

type Token = { kind: "text" | "action"; text: string };

type Node =
  | { kind: "text"; text: string }
  | { kind: "value"; pipeline: Pipeline }
  | { kind: "block"; word: "if" | "with" | "range"; pipeline: Pipeline; body: Node[]; otherwise: Node[] };

type Operand =
  | { kind: "literal"; value: unknown }
  | { kind: "field"; path: string[]; root: boolean }
  | { kind: "group"; pipeline: Pipeline };
interface Call {
  name: string | undefined;
  args: Operand[];
}
type Pipeline = Call[];

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let rest = text;
  let trimNext = false;
  while (rest.length > 0) {
    const match = /\{\{(- )?([\s\S]*?)( -)?\}\}/.exec(rest);
    let plain = match === null ? rest : rest.slice(0, match.index);
    if (trimNext) plain = plain.trimStart();
    if (match?.[1]) plain = plain.trimEnd();
    if (plain !== "") tokens.push({ kind: "text", text: plain });
    if (match === null) break;
    tokens.push({ kind: "action", text: match[2]!.trim() });
    trimNext = match[3] !== undefined;
    rest = rest.slice(match.index + match[0].length);
  }
  return tokens;
}

function parseNodes(tokens: Token[], whole: string, until: string[]): Node[] {
  const nodes: Node[] = [];
  while (tokens.length > 0) {
    const token = tokens[0]!;
    const word = token.text.split(/\s/)[0]!;
    if (token.kind === "action" && (word === "end" || word === "else")) {
      if (!until.includes(word)) throw badTemplate(whole, `{{${token.text}}} closes nothing`);
      return nodes;
    }
    tokens.shift();
    if (token.kind === "text") nodes.push({ kind: "text", text: token.text });
    else if (word === "if" || word === "with" || word === "range")
      nodes.push(parseBlock(word, token.text.slice(word.length), tokens, whole));
    else if (!token.text.startsWith("/*")) nodes.push({ kind: "value", pipeline: parsePipeline(token.text, whole) });
  }
  if (until.length > 0) throw badTemplate(whole, "{{end}} is missing");
  return nodes;
}

function parseBlock(word: "if" | "with" | "range", condition: string, tokens: Token[], whole: string): Node {
  const pipeline = parsePipeline(condition, whole);
  const body = parseNodes(tokens, whole, ["end", "else"]);
  const closing = tokens.shift()!;
  let otherwise: Node[] = [];
  if (closing.text.startsWith("else")) {
    const again = closing.text.slice("else".length).trim();
    if (again.startsWith("if"))
      return { kind: "block", word, pipeline, body, otherwise: [parseBlock("if", again.slice(2), tokens, whole)] };
    otherwise = parseNodes(tokens, whole, ["end"]);
    tokens.shift();
  }
  return { kind: "block", word, pipeline, body, otherwise };
}

function parsePipeline(text: string, whole: string): Pipeline {
  const words = text.match(/"(?:[^"\\]|\\.)*"|`[^`]*`|[()|]|[^\s()|]+/g) ?? [];
  const pipeline = readPipeline(words, whole);
  if (words.length > 0) throw badTemplate(whole, `unexpected "${words[0]}"`);
  return pipeline;
}

function readPipeline(words: string[], whole: string): Pipeline {
  const calls: Pipeline = [];
  do {
    const call: Call = { name: undefined, args: [] };
    while (words.length > 0 && words[0] !== "|" && words[0] !== ")") {
      const word = words.shift()!;
      if (word === "(") {
        call.args.push({ kind: "group", pipeline: readPipeline(words, whole) });
        if (words.shift() !== ")") throw badTemplate(whole, "a ) is missing");
      } else if (call.name === undefined && call.args.length === 0 && Object.hasOwn(functions, word)) call.name = word;
      else call.args.push(parseOperand(word, whole));
    }
    if (call.name === undefined && call.args.length !== 1)
      throw badTemplate(whole, "an action must hold one value or a function with its arguments");
    calls.push(call);
  } while (words[0] === "|" && words.shift());
  return calls;
}

function parseOperand(word: string, whole: string): Operand {
  if (word.startsWith('"')) return { kind: "literal", value: JSON.parse(word) };
  if (word.startsWith("`")) return { kind: "literal", value: word.slice(1, -1) };
  if (/^-?\d+(\.\d+)?$/.test(word)) return { kind: "literal", value: Number(word) };
  if (word === "true" || word === "false") return { kind: "literal", value: word === "true" };
  if (word === "nil") return { kind: "literal", value: undefined };
  if (/^\$?\.?([\w-]+(\.[\w-]+)*)?$/.test(word) && /^[.$]/.test(word)) {
    return {
      kind: "field",
      root: word.startsWith("$"),
      path: word
        .replace(/^\$?\.?/, "")
        .split(".")
        .filter(Boolean),
    };
  }
  throw badTemplate(
    whole,
    `"${word}" is no field (.Name) and no known function (${Object.keys(functions).join(", ")})`,
  );
}

function renderNodes(nodes: Node[], data: unknown, root: unknown): string {
  return nodes
    .map(node => {
      if (node.kind === "text") return node.text;
      const value = evaluate(node.pipeline, data, root);
      if (node.kind === "value") return show(value);
      if (node.word === "range") {
        const all = value !== null && typeof value === "object" ? Object.values(value) : [];
        return all.length === 0
          ? renderNodes(node.otherwise, data, root)
          : all.map(item => renderNodes(node.body, item, root)).join("");
      }
      if (!truthy(value)) return renderNodes(node.otherwise, data, root);
      return renderNodes(node.body, node.word === "with" ? value : data, root);
    })
    .join("");
}

function evaluate(pipeline: Pipeline, data: unknown, root: unknown): unknown {
  let result: unknown;
  for (const [index, call] of pipeline.entries()) {
    const args = call.args.map(operand => {
      if (operand.kind === "literal") return operand.value;
      if (operand.kind === "group") return evaluate(operand.pipeline, data, root);
      return operand.path.reduce<unknown>(field, operand.root ? root : data);
    });
    if (index > 0) args.push(result);
    result = call.name === undefined ? args[0] : functions[call.name]!(...args);
  }
  return result;
}

/** Names are matched exactly, or in the other case style: .State finds state, .NetworkSettings finds networkSettings. */
function field(value: unknown, name: string): unknown {
  if (value === null || typeof value !== "object") return undefined;
  if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name];
  const other = Object.keys(value).find(key => key.toLowerCase() === name.toLowerCase());
  return other === undefined ? undefined : (value as Record<string, unknown>)[other];
}

function truthy(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  return typeof value === "object" ? Object.keys(value).length > 0 : Boolean(value);
}

function show(value: unknown): string {
  if (value === undefined || value === null) return "<no value>";
  if (Array.isArray(value)) return `[${value.map(show).join(" ")}]`;
  if (typeof value === "object")
    return `map[${Object.entries(value)
      .map(([key, item]) => `${key}:${show(item)}`)
      .join(" ")}]`;
  return String(value);
}

const functions: Record<string, (...args: unknown[]) => unknown> = {
  json: value => JSON.stringify(value ?? null),
  join: (values, separator) => (values as unknown[]).join(String(separator)),
  index: (value, ...keys) =>
    keys.reduce<unknown>((current, key) => (current as Record<string, unknown> | undefined)?.[String(key)], value),
  len: value => (typeof value === "string" ? value.length : Object.keys(value ?? {}).length),
  upper: value => String(value).toUpperCase(),
  lower: value => String(value).toLowerCase(),
  title: value => String(value).replace(/\b\w/g, letter => letter.toUpperCase()),
  split: (value, separator) => String(value).split(String(separator)),
  truncate: (value, length) => String(value).slice(0, Number(length)),
  pad: (value, before, after) => " ".repeat(Number(before)) + String(value) + " ".repeat(Number(after)),
  println: (...values) => `${values.map(show).join(" ")}\n`,
  print: (...values) => values.map(show).join(""),
  printf: (format, ...values) =>
    String(format).replace(/%[svdqx%]/g, verb =>
      verb === "%%" ? "%" : verb === "%q" ? JSON.stringify(values.shift()) : show(values.shift()),
    ),
  eq: (left, ...rights) => rights.some(right => left === right),
  ne: (left, right) => left !== right,
  not: value => !truthy(value),
  and: (...values) => values.find(value => !truthy(value)) ?? values.at(-1),
  or: (...values) => values.find(truthy) ?? values.at(-1),
};

function badTemplate(text: string, why: string): BerthError {
  return new BerthError("invalid", `template ${JSON.stringify(text)}: ${why}`, {
    hint: "for example '{{.Names}}: {{.Status}}' or '{{json .}}'",
  });
}
