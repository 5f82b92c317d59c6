import { expect, test } from "vitest";
import { parseDotenv, parseRawEnv } from "./dotenv.ts";

const read = (text: string, environment: Record<string, string> = {}) =>
  parseDotenv({ path: "x.env", text }, name => environment[name]);

test("export, KEY: v, comments, blank lines and Windows line ends are understood", () => {
  expect(read("\uFEFF# top\r\nexport A=1\r\nB: 2\r\n\r\n  C = 3 # note\r\nD=a#b\r\nE=\r\n")).toEqual({
    A: "1",
    B: "2",
    C: "3",
    D: "a#b",
    E: "",
  });
});

test("a bare KEY is inherited, and left out where it is not set", () => {
  expect(read("A\nexport B\nC=1", { A: "outer" })).toEqual({ A: "outer", C: "1" });
});

test("single quotes keep text, double quotes and bare values take variables and escapes; both may run over lines", () => {
  expect(read(`A='$X \\n "q"'\nB="$X\\n\\"q\\" \\$X"\nC=$X-\${Y:-y}\nD="one\ntwo"\nE='it'\n`, { X: "x" })).toEqual({
    A: '$X \\n "q"',
    B: 'x\n"q" $X',
    C: "x-y",
    D: "one\ntwo",
    E: "it",
  });
});

test("variables are looked up outside first, then above in the file; later lines win", () => {
  expect(read("A=1\nB=$A-$C\nA=2\n", { C: "c" })).toEqual({ A: "2", B: "1-c" });
  expect(read("A=1\nB=$A\n", { A: "outer" })).toEqual({ A: "1", B: "outer" });
});

test("names may have dots and dashes; what is no name is told with its line", () => {
  expect(read("a.b-c_D=1")).toEqual({ "a.b-c_D": "1" });
  expect(() => read("A=1\n$B=2")).toThrow('x.env:2:1: "$B" is no variable name');
  expect(() => read("A B=2")).toThrow('x.env:1:1: after A comes neither "=" nor the end of the line');
  expect(() => read("A='x\ny")).toThrow("x.env:1:1: the quoted value is not closed by '");
  expect(() => read("\nA=${B:?need b}")).toThrow("x.env:2:1: the variable B is required and not set: need b");
});

test("format raw takes each line as it stands", () => {
  expect(parseRawEnv("A='$x' # y\n# no\nB\nC=a=b\n", name => (name === "B" ? "b" : undefined))).toEqual({
    A: "'$x' # y",
    B: "b",
    C: "a=b",
  });
});
