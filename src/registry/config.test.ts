import { expect, test } from "vitest";
import { parseRegistryConfig } from "./config.ts";

test("an empty file is a registry on loopback that everybody may use", () => {
  expect(parseRegistryConfig("{}", "r.json")).toEqual({ listen: "127.0.0.1:5000", readOnly: false });
});

test.each([
  ["{", /r\.json is not JSON/],
  ['{"lisen":"x"}', /lisen is not known; there are listen/],
  ['{"listen":"nowhere"}', /listen must be HOST:PORT/],
  ['{"tls":{"key":"k"}}', /tls needs certificate/],
  ['{"access":{"users":{"ann":{"password":"plain"}}}}', /users\.ann\.password must be made by/],
  ['{"access":{"rules":[{"who":"ann","repositories":"*","actions":["fly"]}]}}', /rules\[0\]\.actions holds "fly"/],
])("%s is refused, naming the field", (text, message) => {
  expect(() => parseRegistryConfig(text, "r.json")).toThrow(message);
});
