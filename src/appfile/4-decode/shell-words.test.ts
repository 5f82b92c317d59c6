import { expect, test } from "vitest";
import { shellWords } from "./shell-words.ts";

test("a command line is split as a POSIX shell does, without expanding anything", () => {
  expect(shellWords(`sh -c "echo 'hi' \\"x\\" \\n" a\\ b '' ""c$X; ls | wc`)).toEqual([
    "sh",
    "-c",
    `echo 'hi' "x" \\n`,
    "a b",
    "",
    "c$X;",
    "ls",
    "|",
    "wc",
  ]);
  expect(shellWords("  ")).toEqual([]);
  expect(shellWords("a\\\nb")).toEqual(["ab"]);
  expect(shellWords("'a")).toBeUndefined();
});
