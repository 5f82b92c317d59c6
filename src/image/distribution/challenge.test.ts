import { expect, test } from "vitest";
import { parseChallenges } from "./challenge.ts";

test.each([
  ['Basic realm="x"', [{ scheme: "basic", parameters: { realm: "x" } }]],
  [
    'Bearer realm="https://auth.example/token",service="reg, two",scope="repository:a/b:pull,push"',
    [
      {
        scheme: "bearer",
        parameters: { realm: "https://auth.example/token", service: "reg, two", scope: "repository:a/b:pull,push" },
      },
    ],
  ],
  [
    'Negotiate, Basic realm="a \\"quoted\\" one"',
    [
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: 'a "quoted" one' } },
    ],
  ],
  [
    "Bearer realm=plain , error=invalid_token",
    [{ scheme: "bearer", parameters: { realm: "plain", error: "invalid_token" } }],
  ],
  ["", []],
  ['"nonsense', []],
])("%s", (header, challenges) => {
  expect(parseChallenges(header)).toEqual(challenges);
});
