import { document } from "../appfile/4-decode/document.ts";
import type { Shape } from "../appfile/4-decode/shape.ts";

/** Numbers from a seed, always the same ones (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Random = () => number;
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

const names = [
  "web",
  "db",
  "data",
  "x-a",
  "__proto__",
  "constructor",
  "toString",
  "a.b",
  "9",
  "default",
  "bad name",
  "",
];

/** Values that fit somewhere, and values that fit nowhere. */
const values: unknown[] = [
  ...[
    "a",
    "web",
    "db",
    "data",
    "",
    " ",
    "80",
    "8080:80",
    "1-70000:1",
    "[::1]:1:2/udp",
    "data:/data",
    "./x:/y:ro",
    "a:b:c:d",
    "/",
  ],
  ...[
    "10s",
    "1m30s",
    "512m",
    "-1",
    "0440",
    "9e99",
    "no",
    "on-failure:3",
    "always",
    "service:web",
    "container:x",
    "$",
    "$$",
    "${A}",
  ],
  ...[
    "${A:-${B:?no}}",
    "${",
    "A=1",
    "A",
    "=",
    "K=${A}",
    "true",
    "null",
    "~",
    "*a",
    "&a",
    "!reset",
    "{",
    "[",
    "- a",
    "a: b",
    "#",
    "\u0000",
  ],
  ...[
    "\ud800",
    "é",
    "@daily",
    "* * * * *",
    "bind",
    "volume",
    "replicated-job",
    "all",
    "host",
    "'",
    '"',
    "\\",
    "\n",
    "sh -c 'x y'",
  ],
  ...[
    0,
    1,
    -1,
    80,
    65536,
    0.5,
    1e21,
    288,
    true,
    false,
    null,
    [],
    {},
    [null],
    [[]],
    { a: 1 },
    ["a", "a"],
    { source: "a", target: "/b" },
  ],
];

/** A document that is nearly right: keys that are known, values of which most are not. */
export function randomDocument(random: Random): unknown {
  const made = randomOfShape(document, random, 0) as Record<string, unknown>;
  if (typeof made === "object" && made !== null && random() < 0.9) made["services"] ??= { web: { image: "a" } };
  return made;
}

function randomOfShape(shape: Shape<unknown> | undefined, random: Random, depth: number): unknown {
  if (!shape || random() < 0.12 || depth > 8) return pick(random, values);
  if (shape.keys) {
    const keys = [...shape.keys.keys()];
    const made: Record<string, unknown> = {};
    const count = Math.floor(random() * Math.min(keys.length, depth === 0 ? 6 : 5)) + 1;
    for (let index = 0; index < count; index++) {
      const key = random() < 0.95 ? pick(random, keys) : pick(random, names);
      put(made, key, randomOfShape(shape.keys.get(key), random, depth + 1));
    }
    return made;
  }
  if (!shape.item) return pick(random, values);
  const items = Array.from({ length: Math.floor(random() * 3) }, () => randomOfShape(shape.item, random, depth + 1));
  if (shape.expected.startsWith("a list")) return items;
  const made: Record<string, unknown> = {};
  for (const item of items) put(made, pick(random, names), item);
  return made;
}

function put(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

const fragments = [
  ...[
    ":",
    ": ",
    "- ",
    "  ",
    "\n",
    "\t",
    "\r\n",
    "#",
    " #",
    "&a ",
    "*a",
    "!reset ",
    "!override ",
    "!!str ",
    "<<: *a",
    "|",
    ">-",
    "|2\n",
    "---\n",
  ],
  ...[
    "...",
    "%YAML 1.1\n",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    '"',
    "\\",
    "$",
    "${",
    "}",
    "${A:-",
    "? ",
    "~",
    "null",
    "0x",
    "1_0",
    "é",
    "\u0000",
    "\uFEFF",
  ],
  ...[
    "extends: web",
    "include: [compose.yaml]",
    "x-berth: {params: {a: }}",
    "services:",
    "web:",
    "image: a",
    "depends_on: [web]",
    "\u2028",
  ],
];

/** A text with some of its lines and characters cut, doubled, moved, indented or replaced. */
export function mutate(text: string, random: Random): string {
  let mutated = text;
  for (let times = random() < 0.7 ? 1 : 3; times > 0; times--) mutated = mutateOnce(mutated, random);
  return mutated.slice(0, 20_000);
}

function mutateOnce(text: string, random: Random): string {
  const at = Math.floor(random() * (text.length + 1));
  const end = Math.min(text.length, at + Math.floor(random() * 12));
  const lines = text.split("\n");
  const line = Math.floor(random() * lines.length);
  switch (Math.floor(random() * 7)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + pick(random, fragments) + text.slice(at);
    case 2:
      return text.slice(0, at) + pick(random, fragments) + text.slice(end);
    case 3:
      return [...lines.slice(0, line), lines[line], ...lines.slice(line)].join("\n");
    case 4:
      return [...lines.slice(0, line), ...lines.slice(line + 1)].join("\n");
    case 5:
      return [
        ...lines.slice(0, line),
        " ".repeat(Math.floor(random() * 4)) + lines[line]!.trimStart(),
        ...lines.slice(line + 1),
      ].join("\n");
    default:
      return [
        ...lines.slice(0, line),
        `${lines[line]!.split(":")[0]}: ${String(pick(random, values))}`,
        ...lines.slice(line + 1),
      ].join("\n");
  }
}
