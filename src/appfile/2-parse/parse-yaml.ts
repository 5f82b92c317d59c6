import { Composer, type CST, type Document, type ParsedNode, Parser } from "yaml";
import { limits } from "../limits.ts";
import type { Node, SourceText } from "../node.ts";
import { fail, type Problems } from "../problems.ts";
import { convertDocument } from "./convert.ts";
import { parseQuick } from "./quick-block.ts";

/**
 * The documents of a YAML text as nodes with their positions: YAML 1.2 with merge keys. Empty documents are left out.
 * Syntax errors and duplicate keys go to `problems`; what is too large or too deep is refused at once.
 */
export function parseYaml(source: SourceText, problems: Problems): Node[] {
  const start = { source, offset: 0 };
  if (source.text.length > limits.fileLength) {
    fail(start, [], `the file has ${source.text.length} characters, more than ${limits.fileLength}`);
  }
  const quick = parseQuick(source);
  return quick ? [quick] : parseSlowly(source, problems);
}

/** The same by way of the `yaml` package: for all of YAML, and for errors. */
export function parseSlowly(source: SourceText, problems: Problems): Node[] {
  const tokens: CST.Token[] = [];
  for (const token of new Parser().parse(source.text)) {
    checkDepth(token, source);
    tokens.push(token);
  }
  // Scalars are told apart by plainScalar, and duplicates found by convertDocument: the package's own check takes quadratic time.
  const composer = new Composer({ schema: "failsafe", merge: false, uniqueKeys: false, logLevel: "silent" });
  const nodes: Node[] = [];
  for (const document of composer.compose(tokens)) {
    if (addSyntaxErrors(document, source, problems) || isEmpty(document)) continue;
    nodes.push(convertDocument(document.contents, source, problems));
  }
  return nodes;
}

function addSyntaxErrors(document: Document.Parsed, source: SourceText, problems: Problems): boolean {
  for (const error of document.errors) {
    const message = error.code === "TAB_AS_INDENT" ? "YAML does not allow tabs for indentation" : error.message;
    const at = error.pos[0];
    const line = source.text.slice(
      source.text.lastIndexOf("\n", at - 1) + 1,
      source.text.indexOf("\n", at) + 1 || undefined,
    );
    const hint = /[[{,].*[^"']\$\{/.test(line.slice(0, 1_000))
      ? 'within [ ] and { }, write "${…}" in quotes'
      : undefined;
    problems.add({ source, offset: at }, [], `not valid YAML: ${message}`, hint);
  }
  return document.errors.length > 0;
}

function isEmpty(document: { contents: ParsedNode | null }): boolean {
  const { contents } = document;
  return !contents || ("value" in contents && contents.value === "" && !contents.tag);
}

/** The composer calls itself for each level: what is too deep must not reach it. */
function checkDepth(token: CST.Token, source: SourceText): void {
  let level: CST.Token[] = [token];
  for (let depth = 0; level.length > 0; depth++) {
    const next: CST.Token[] = [];
    for (const each of level) {
      if (depth > limits.depth) {
        fail({ source, offset: each.offset }, [], `values are nested more than ${limits.depth} deep`);
      }
      if (each.type === "document") {
        if (each.value) next.push(each.value);
      } else if ("items" in each) {
        for (const { key, value } of each.items) {
          if (key) next.push(key);
          if (value) next.push(value);
        }
      }
    }
    level = next;
  }
}
