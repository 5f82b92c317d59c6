import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";
import { sourceFiles } from "./source-files.ts";

/** The layers from the ground up; a file imports from its own line or a lower one. Folders on one line do not import each other. */
const layers: string[][] = [
  ["base"],
  ["model"],
  ["appfile", "plan", "schedule"],
  ["ports"],
  ["image"],
  ["build", "registry"],
  ["engine"],
  ["wire"],
  ["control", "agent"],
  ["discovery"],
  ["api"],
  ["docker"],
  ["client"],
  ["cli"],
  ["drivers"],
  ["main"],
];

/** What a driver may use of the layers above the ports: pure helpers for formats, never a service. */
const driverMayUse = new Set(["image", "engine/spec", "build"]);

const root = resolve(import.meta.dirname, "../..");
const source = join(root, "src");
const rankOf = new Map(layers.flatMap((folders, rank) => folders.map(folder => [folder, rank] as const)));

interface Import {
  from: string;
  to: string;
}

function imports(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g);
  return [...found].map(match => ({
    from: relative(source, file),
    to: relative(source, resolve(dirname(file), match[1]!)),
  }));
}

const folderOf = (path: string) => path.split("/")[0]!;
const isTest = (path: string) => /\.(test|suite)\.ts$/.test(path);
const files = sourceFiles(source);
const graph = new Map(files.map(file => [relative(source, file), imports(file)]));

test("every folder of src/ is a layer", () => {
  const known = new Set([...rankOf.keys(), "testing"]);
  expect([...new Set([...graph.keys()].map(folderOf))].filter(folder => !known.has(folder))).toEqual([]);
});

test("imports point down, and siblings on one layer do not know each other", () => {
  const wrong = [...graph.values()].flat().filter(({ from, to }) => {
    const [upper, lower] = [folderOf(from), folderOf(to)];
    if (isTest(from) || upper === lower || upper === "testing") return false;
    if (lower === "testing") return true;
    return rankOf.get(lower)! >= rankOf.get(upper)!;
  });
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

test("drivers are known to main only, and know no service above the ports", () => {
  const wrong = [...graph.values()].flat().filter(({ from, to }) => {
    if (isTest(from) || folderOf(from) !== "drivers" || rankOf.get(folderOf(to))! <= rankOf.get("ports")!) return false;
    return folderOf(to) !== "drivers" && ![...driverMayUse].some(allowed => to.startsWith(`${allowed}/`));
  });
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

test("only drivers start processes or call the kernel, and only base and main read time, chance and environment", () => {
  const wrong: string[] = [];
  for (const file of files.filter(path => !isTest(path))) {
    const path = relative(source, file);
    const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    const folder = folderOf(path);
    if (folder === "testing") continue;
    if (!["drivers", "main"].includes(folder) && /from "(node:child_process|koffi)"/.test(text))
      wrong.push(`${path} starts processes`);
    if (!["base", "main"].includes(folder) && /\bDate\.now\(|\bMath\.random\(|(?<!\.)\bprocess\.env\b/.test(text)) {
      wrong.push(`${path} reads time, chance or environment by itself`);
    }
  }
  expect(wrong).toEqual([]);
});

test("there are no import cycles", () => {
  const state = new Map<string, "open" | "done">();
  const cycles: string[] = [];
  const visit = (path: string, trail: string[]) => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      return;
    }
    state.set(path, "open");
    for (const { to } of runtimeImports(path)) visit(to, [...trail, path]);
    state.set(path, "done");
  };
  for (const path of graph.keys()) visit(path, []);
  expect(cycles).toEqual([]);
});

/** Type-only imports vanish at run time, and `import()` loads later, when all else is there: both may point round. */
function runtimeImports(path: string): Import[] {
  const text = readFileSync(join(source, path), "utf8");
  const typeOnly = new Set(
    [...text.matchAll(/(?:import type[^;]*?from |import\()"(\.{1,2}\/[^"]+)"/g)].map(match => match[1]!),
  );
  return (graph.get(path) ?? []).filter(
    ({ to }) => ![...typeOnly].some(spec => relative(source, resolve(source, dirname(path), spec)) === to),
  );
}

test("no file has grown past 400 lines", () => {
  const long = sourceFiles(source, join(root, "test"), join(root, "bench"), join(root, "scripts"))
    .map(file => ({ file: relative(root, file), lines: readFileSync(file, "utf8").split("\n").length - 1 }))
    .filter(({ lines }) => lines > 400);
  expect(long.map(({ file, lines }) => `${file}: ${lines} lines`)).toEqual([]);
});
