import { describe, expect, it } from "vitest";
import { expandWord } from "./shell-words.ts";

const values: Record<string, string> = {
  v: "value",
  e: "",
  path: "/usr/local/bin/app.tar.gz",
  s: "a b",
  star: "x*y*z",
};
const expand = (word: string, options = {}) => expandWord(word, name => values[name], options);

describe("expansion", () => {
  it.each([
    ["$v", "value"],
    ["${v}s", "values"],
    ["$v$e$u.", "value."],
    ["\\$v", "$v"],
    ["'$v'", "$v"],
    ["\"$v 'x'\"", "value 'x'"],
    ['"a\\"b\\n"', 'a"b\\n'],
    ["${u:-w}", "w"],
    ["${e:-w}", "w"],
    ["${e-w}", ""],
    ["${u-w}", "w"],
    ["${v:+w}", "w"],
    ["${e:+w}", ""],
    ["${e+w}", "w"],
    ["${u:-${v:+in $v}}", "in value"],
    ["${path#*/}", "usr/local/bin/app.tar.gz"],
    ["${path##*/}", "app.tar.gz"],
    ["${path%.*}", "/usr/local/bin/app.tar"],
    ["${path%%.*}", "/usr/local/bin/app"],
    ["${path/local/opt}", "/usr/opt/bin/app.tar.gz"],
    ["${path//\\//-}", "-usr-local-bin-app.tar.gz"],
    ["${star//\\*/+}", "x+y+z"],
    ["${v/?alu/D}", "De"],
    ["${v:?no}", "value"],
    ["$", "$"],
    ["a$", "a$"],
    ["$5x", "x"],
  ])("%s -> %s", (word, result) => {
    expect(expand(word).text).toBe(result);
  });

  it("splits at blanks after expansion, not inside quotes", () => {
    expect(expand("$s \"$s\" 'c d'").words).toEqual(["a", "b", "a b", "c d"]);
  });

  it("names variables that had no value", () => {
    expect(expand("$u ${w:-x} $v").unset).toEqual(["u", "w"]);
  });

  it("leaves quotes and other backslashes alone in a heredoc", () => {
    expect(expand("printf \"\\n$v\" '\\$v' \\\\", { heredoc: true }).text).toBe("printf \"\\nvalue\" '$v' \\");
  });

  it.each([
    ["${", "missing '}'"],
    ["${}", "without a variable's name"],
    ["${v:", "no substitution operator"],
    ["${v:-x", "missing '}'"],
    ["${v^}", "'^' is no substitution operator"],
    ["${u:?is needed}", "u: is needed"],
    ["'x", "single quote is opened"],
    ['"x', "double quote is opened"],
    ["${v/x}", "missing '/'"],
    ["${v#\\q}", "invalid escape"],
  ])("refuses %s", (word, reason) => {
    expect(() => expand(word)).toThrow(reason);
  });

  it("stops an expansion that grows without bound", () => {
    const big = "x".repeat(500_000);
    expect(() => expandWord("$a$a$a$a", () => big)).toThrow("grows beyond");
  });
});
