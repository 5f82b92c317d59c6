import { expect, test } from "vitest";
import type { Node } from "../node.ts";
import { toPlain } from "../plain.ts";
import { Problems } from "../problems.ts";
import { parseSlowly, parseYaml } from "./parse-yaml.ts";
import { parseQuick } from "./quick-block.ts";

const read = (text: string) => {
  const problems = new Problems();
  const nodes = parseYaml({ path: "f.yaml", text }, problems);
  problems.throwIfAny();
  return nodes.map(toPlain);
};

test("YAML 1.2 with legacy octal: yes, 22:22 and dates stay text, 0440 is octal", () => {
  expect(
    read("a: yes\nb: 22:22\nc: 0440\nd: 0o17\ne: 0x10\nf: 1_000\ng: 2020-01-01\nh: ~\ni: 1e3\nj: .5\nk: 08\n"),
  ).toEqual([
    { a: "yes", b: "22:22", c: 0o440, d: 15, e: 16, f: 1000, g: "2020-01-01", h: null, i: 1000, j: 0.5, k: 8 },
  ]);
  expect(read('a: "0440"\nb: 12345678901234567890123\nc: True\nd: FALSE\ne: tRue')).toEqual([
    { a: "0440", b: "12345678901234567890123", c: true, d: false, e: "tRue" },
  ]);
});

test("own keys win over merged ones, earlier sources over later ones", () => {
  expect(read("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 0\n")).toMatchObject([
    { c: { x: 0, y: 1, z: 2 } },
  ]);
});

const fails = (text: string) => {
  try {
    read(text);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

test("a key that is given twice is refused with both lines", () => {
  expect(fails("a: 1\nb: 2\na: 3\n")).toBe('f.yaml:3:1: the key "a" is given twice; it stands on line 1 already');
});

test("syntax errors tell their place", () => {
  expect(fails("a: 1\n b: [\n")).toMatch(/^the app file has .* errors:\n {2}f.yaml:\d+:\d+: not valid YAML/);
  expect(fails("a:\n\tb: 1\n")).toMatch(/f.yaml:2:1: .*tabs/);
});

test("a YAML bomb is refused at once, quick parser or not", () => {
  const levels = Array.from({ length: 12 }, (_, index) => {
    const items = Array.from({ length: 10 }, () => (index === 0 ? "x" : `*a${index - 1}`)).join(", ");
    return `a${index}: &a${index} [${items}]`;
  });
  const before = performance.now();
  expect(fails(levels.join("\n"))).toMatch(/YAML bomb|more than 1000000 values/);
  expect(fails(`%YAML 1.2\n---\n${levels.join("\n")}`)).toMatch(/more than 1000000 values/);
  const text = `a: &a "${"x".repeat(100_000)}"\nb: [${Array.from({ length: 5_000 }, () => "*a").join(", ")}]\n`;
  expect(fails(text)).toMatch(/more than 1000000 values/);
  expect(performance.now() - before).toBeLessThan(2_000);
});

test("values nested too deep are refused, in flow, block and alias form", () => {
  expect(fails(`a: ${"[".repeat(50_000)}`)).toMatch(/nested more than 100 deep/);
  const block = Array.from({ length: 200 }, (_, index) => `${" ".repeat(index)}a:`).join("\n");
  expect(fails(block)).toMatch(/nested more than 100 deep/);
  const aliases = Array.from(
    { length: 300 },
    (_, index) => `a${index}: &a${index} {x: ${index === 0 ? 1 : `*a${index - 1}`}}`,
  );
  expect(fails(aliases.join("\n"))).toMatch(/nested more than 100 deep/);
});

test("an alias inside its own anchor is refused, one without an anchor, too", () => {
  expect(fails("a: &a\n  b: *a\n")).toMatch(/the alias \*a stands inside the value that it repeats/);
  expect(fails("a: *b\n")).toMatch(/the alias \*b has no anchor &b before it/);
});

/** Value and place of each scalar, for comparison. */
function places(node: Node): unknown {
  if (node.kind === "list") return { at: node.at.offset, directive: node.directive, items: node.items.map(places) };
  if (node.kind === "scalar")
    return { at: node.value === null ? 0 : node.at.offset, directive: node.directive, value: node.value };
  return {
    directive: node.directive,
    at: node.at.offset,
    entries: [...node.entries].map(([key, { at, value }]) => [key, at.offset, places(value)]),
  };
}

const samples = [
  "a: 1\nb:\n  c: x # comment\n  d: 'it''s'\n  e: \"q\\\"\\n\"\n",
  "# top\n\nlist:\n- a\n- b: 1\n  c: 2\n-   d: [x, 'y', {z: 1}]\n-\n  - nested\n- \n",
  "a: |\n  one\n\n   two\n\nb: >-\n  folded\n  text\n\n  more\nc: |+\n  keep\n\n\nd: end\n",
  "x: &x\n  a: 1\ny:\n  <<: *x\n  b: &b two\nz: *b\nl: [*x, *b]\n",
  'command: [\n  sh,\n  -c, # shell\n  "a, b"\n  ]\nnext: {a: http://x/y:1, b: -1, "c": null, d: , e: }\n',
  "a: !reset null\nb: !override\n  - x\nc: !reset\n",
  "---\na: b\n",
  'url: http://a:80/x#y\nempty:\nports:\n  - 80:80\n  - "1"\n',
  "a:\n  - b\n\n  # c\n  - d\ne: f g  h   # i\n",
  '{"a":1, "b": [true,{"c":null}],\n"d":"x"}\n',
  "'quoted key': 1\n\"other\" : 2\n$dollar: 3\n1: 4\n",
];

test("the quick parser and the yaml package read the same, to the offset", () => {
  for (const text of samples) {
    const source = { path: "f", text };
    const quick = parseQuick(source);
    expect(quick, text).toBeDefined();
    expect(places(quick!), text).toEqual(places(parseSlowly(source, new Problems())[0]!));
  }
});
