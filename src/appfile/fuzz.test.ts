import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BerthError } from "../base/errors.ts";
import { mutate, randomDocument, randomOf } from "../testing/app-file-fuzz.ts";
import { filesIn } from "../testing/app-files.ts";
import { parseSlowly } from "./2-parse/parse-yaml.ts";
import { parseQuick } from "./2-parse/quick-block.ts";
import type { LoadedApp } from "./input.ts";
import { loadApp } from "./load.ts";
import type { Node } from "./node.ts";
import { printDocument } from "./print.ts";
import { Problems } from "./problems.ts";

const full = readFileSync(join(import.meta.dirname, "golden/full.compose.yaml"), "utf8");
const declarations = `networks: {some: , other: }
volumes: {named: }
secrets: {s1: {file: a}, s2: {file: b}}
configs: {c1: {content: a}, c2: {content: b}, c3: {content: c}}
models: {llm: {model: a}, other: {model: b}}
`;
/** Stretches of the full example, which is too long to be read 20,000 times, and files with all that YAML has. */
const samples = [
  ...full
    .split(/^ {2}base:/m)[0]!
    .split(/(?=^ {4}[a-z_]+:)/m)
    .slice(1)
    .filter(part => !/^ {4}(image|build):/.test(part))
    .map(
      part =>
        `${declarations}services:\n  base: {image: b}\n  side: {image: s}\n  web:\n    image: a\n    build: .\n${part}`,
    ),
  full.slice(full.indexOf("networks:\n  some:")),
  "x-a: &a\n  restart: always\n  environment: &e {A: 1}\nservices:\n  web:\n    <<: *a\n    image: web:${TAG:-1}\n    environment:\n      <<: *e\n      B: 2\n",
  "services:\n  web:\n    image: a\n    command: |\n      one\n      two\n    entrypoint: >-\n      a\n      b\n\n      c\n    labels:\n    - a=b\n    - 'c=d'\n",
  "include:\n  - other.yaml\n  - path: [other.yaml]\nx-berth:\n  params:\n    size: {type: size, default: 1g}\n  include:\n    - {path: other.yaml, name: n, params: {a: '1'}}\nservices:\n  web: {image: 'a:${size}', depends_on: [n-o]}\n",
  "services:\n  base: {image: a}\n  web:\n    extends: {file: other.yaml, service: o}\n    ports: !override\n      - 80:80\n---\nservices:\n  web:\n    ports: !reset []\nvolumes: {v: }\n",
];

const others = {
  "/app/other.yaml": "services: {o: {image: o, environment: [A], volumes: [v:/v]}}\nvolumes: {v: }\n",
  "/app/.env": "A=1\n",
};

/** The app, or undefined for what is refused as it should be. Fails for any other error, and for what takes too long. */
function load(text: string): LoadedApp | undefined {
  // Of the processor, not of the clock: other tests may run beside this one.
  const before = process.cpuUsage();
  try {
    const files = filesIn({ ...others, "/app/compose.yaml": text });
    const result = loadApp({ files, workingDirectory: "/app", environment: { A: "a", TAG: "2" }, profiles: ["*"] });
    return result.app ? result : undefined;
  } catch (error) {
    if (!(error instanceof BerthError) || error.code === "internal") throw error;
    if (error.message === "") throw new Error("an error without a message", { cause: error });
    return undefined;
  } finally {
    expect(process.cpuUsage(before).user).toBeLessThan(3_000_000);
  }
}

/** The same runs every time. */
const runs = (numRuns: number) => ({ numRuns, seed: 42, endOnFailure: true });
const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test("the samples load as they are, but for files that are not there", () => {
  expect(samples.filter(text => !load(text)).filter(text => !/env_file|label_file/.test(text))).toEqual([]);
});

test("10,000 mutated files are loaded or refused, never worse", { timeout: 600_000 }, () => {
  let loaded = 0;
  fc.assert(
    fc.property(seed, start => {
      const random = randomOf(start);
      const sample = samples[Math.floor(random() * samples.length)]!;
      loaded += load(mutate(sample, random)) ? 1 : 0;
    }),
    runs(10_000),
  );
  // Otherwise it is not the loader that is tried, but the parser's errors.
  expect(loaded).toBeGreaterThan(1_000);
});

test("8,000 documents of known keys and odd values are loaded or refused; what loads, prints and loads the same", {
  timeout: 60_000,
}, () => {
  let loaded = 0;
  fc.assert(
    fc.property(seed, start => {
      const first = load(JSON.stringify(randomDocument(randomOf(start)), null, 1));
      if (!first) return;
      loaded++;
      const printed = printDocument(first.document);
      const files = filesIn({ "/app/compose.yaml": printed });
      const again = loadApp({ files, workingDirectory: "/app", environment: {}, profiles: ["*"] });
      expect(again.app && printDocument(again.document)).toBe(printed);
    }),
    runs(8_000),
  );
  expect(loaded).toBeGreaterThan(100);
});

test("on 3,000 mutated files the quick parser reads what the yaml package reads, or nothing", {
  timeout: 60_000,
}, () => {
  let read = 0;
  fc.assert(
    fc.property(seed, start => {
      const random = randomOf(start);
      const yaml = () => samples[Math.floor(random() * samples.length)]!;
      const text = mutate(
        random() < 0.8 ? yaml() : JSON.stringify(randomDocument(random), null, random() < 0.5 ? 1 : 0),
        random,
      );
      const source = { path: "f", text };
      const quick = attempt(() => parseQuick(source));
      if (!quick) return;
      read++;
      const problems = new Problems();
      const slow = parseSlowly(source, problems);
      expect(problems.list).toEqual([]);
      expect(slow).toHaveLength(1);
      expect(places(quick)).toEqual(places(slow[0]!));
    }),
    runs(3_000),
  );
  expect(read).toBeGreaterThan(500);
});

test("any text at all is loaded or refused", { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), text => void load(text)),
    runs(2_000),
  );
});

/** What the limits refuse both parsers refuse. */
function attempt(read: () => Node | undefined): Node | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof BerthError) return undefined;
    throw error;
  }
}

/** Value and place of everything, for comparison; nothing has no place worth knowing. */
function places(node: Node): unknown {
  const { directive } = node;
  const at = node.at.offset;
  if (node.kind === "list") return { at, directive, items: node.items.map(places) };
  if (node.kind === "scalar") return { at: node.value === null || directive ? 0 : at, directive, value: node.value };
  return {
    at,
    directive,
    entries: [...node.entries].map(([key, entry]) => [key, entry.at.offset, places(entry.value)]),
  };
}
