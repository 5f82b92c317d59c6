import { expect, it } from "vitest";
import { matchGlob, parseGlob } from "./glob.ts";
import { parseIgnoreFile } from "./ignore.ts";

const goMatches = (pattern: string, path: string) => matchGlob(parseGlob(pattern), path);

it.each([
  ["*.go", "main.go", true],
  ["*.go", "dir/main.go", false],
  ["dir/*", "dir/x", true],
  ["a?c", "abc", true],
  ["a?c", "a/c", false],
  ["[a-c]x", "bx", true],
  ["[^a-c]x", "bx", false],
  ["a\\*", "a*", true],
  ["a\\*", "ab", false],
  ["*a*b*c", "xxaxxbxxc", true],
  ["a**b", "axxb", true],
  ["a**b", "a/b", false],
  ["*", "", true],
])("Go's filepath.Match: %s and %s: %s", (pattern, path, result) => {
  expect(goMatches(pattern, path)).toBe(result);
});

it("refuses broken classes and a trailing backslash", () => {
  for (const bad of ["[", "[a", "[]", "[a-]", "x\\"]) expect(() => parseGlob(bad), bad).toThrow();
});

it("matches many stars in a bounded number of steps", () => {
  expect(matchGlob(parseGlob(`${"*a".repeat(30)}b`), "a".repeat(2000))).toBe(false);
});

it.each([
  ["node_modules", "node_modules/a/b", true],
  ["node_modules", "app/node_modules", false],
  ["**/node_modules", "app/lib/node_modules/x", true],
  ["**/node_modules", "node_modules", true],
  ["*.log", "a.log", true],
  ["*.log", "d/a.log", false],
  ["**/*.log", "d/e/a.log", true],
  ["d/**", "d/e/f", true],
  ["/abs", "abs", true],
  ["./rel/", "rel/x", true],
  ["*\n!README.md", "README.md", false],
  ["*\n!README.md", "x", true],
  ["docs\n!docs/keep\ndocs/keep/not", "docs/keep/a", false],
  ["docs\n!docs/keep\ndocs/keep/not", "docs/keep/not", true],
  ["docs\n!docs/keep\ndocs/keep/not", "docs/other", true],
  ["!a\na", "a", true],
  ["# a\na # b", "a", false],
  ["  a  ", "a", true],
  ["a/**/b", "a/b", true],
  ["a/**/b", "a/x/y/b", true],
  ["temp?", "temp1/x", true],
])(".dockerignore %j, %s: %s", (text, path, ignored) => {
  expect(parseIgnoreFile(text).ignores(path)).toBe(ignored);
});

it("looks into an ignored directory only where a ! pattern can match", () => {
  const rules = parseIgnoreFile("*\n!src/lib/*.ts");
  expect([rules.mayTakeBackIn("src"), rules.mayTakeBackIn("src/lib"), rules.mayTakeBackIn("dist")]).toEqual([
    true,
    true,
    false,
  ]);
});
