import fc from "fast-check";
import { expect, it } from "vitest";
import { BerthError } from "../../base/errors.ts";
import { parseDockerfile } from "./parse.ts";
import { ExpandError, expandWord } from "./shell-words.ts";

const pieces = fc.constantFrom(
  ...[
    "FROM ",
    "RUN ",
    "COPY ",
    "ADD ",
    "ENV ",
    "ARG ",
    "LABEL ",
    "ONBUILD ",
    "HEALTHCHECK ",
    "SHELL ",
    "EXPOSE ",
    "CMD ",
  ],
  ...[
    "# escape=`\n",
    "# syntax=x\n",
    "#",
    "\n",
    "\r\n",
    "\\\n",
    "`\n",
    " ",
    "\t",
    "\\",
    "`",
    "=",
    "'",
    '"',
    "[",
    "]",
    '["a","b"]',
    ",",
  ],
  ...[
    "<<EOF",
    "<<-'E O'",
    "3<<X",
    "\nEOF\n",
    "<<",
    "--mount=type=",
    "cache",
    "secret",
    "bind,",
    "target=/x",
    "--from=",
    "--",
    "--x=1",
  ],
  ...[
    "$",
    "${",
    "}",
    "${a:-",
    "${a//",
    "/",
    "#",
    "%",
    "*",
    "?",
    "$a",
    "scratch",
    " AS x",
    "\u0000",
    "\uFEFF",
    "é",
    "😀",
    "\u2028",
    "NONE",
  ],
);
const text = fc.oneof(
  fc.array(pieces, { maxLength: 40 }).map(parts => parts.join("")),
  fc.array(pieces, { maxLength: 40 }).map(parts => `FROM a\n${parts.join("")}`),
  fc.string({ unit: "binary", maxLength: 200 }),
);

it("no text crashes or hangs the parser: it parses, or says where it is wrong", { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(text, source => {
      try {
        const file = parseDockerfile(source);
        expect(file.stages.length).toBeGreaterThan(0);
      } catch (thrown) {
        if (!(thrown instanceof BerthError) || thrown.code !== "invalid") throw thrown;
        expect(Number(thrown.details?.["line"])).toBeGreaterThan(0);
        expect(Number(thrown.details?.["column"])).toBeGreaterThan(0);
      }
    }),
    { numRuns: 10_000 },
  );
});

it("no word crashes or hangs the expansion", { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(text, fc.string(), (word, value) => {
      try {
        expandWord(word, () => value);
      } catch (thrown) {
        if (!(thrown instanceof ExpandError)) throw thrown;
      }
    }),
    { numRuns: 10_000 },
  );
});

it.each([
  ["stars over a long value", "${v//a*b*c*d/x}", "a".repeat(200_000)],
  ["a star at the front", "${v//*z/x}", "a".repeat(200_000)],
  ["the longest suffix", "${v%%*a*b}", "a".repeat(200_000)],
])("%s takes no more than linear time", (_, word, value) => {
  expect(expandWord(word, () => value).text).toBe(value);
});
