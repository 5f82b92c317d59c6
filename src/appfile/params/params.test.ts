import { expect, test } from "vitest";
import { loadFiles, tryFiles } from "../../testing/app-files.ts";
import { parseAnswers, parseSet, writeAnswers } from "./answers.ts";

const compose = `
x-berth:
  params:
    port: {type: int, default: 8080, min: 1024, max: 65535, description: Where to listen}
    size: {type: size, min: 1m, max: 1g}
    wait: {type: duration, default: 90s, max: 5m}
    mode: {values: [dev, prod], default: dev}
    debug: {type: bool, default: no}
    tag: {pattern: "[0-9]+\\\\.[0-9]+", default: "1.0"}
    password: {type: secret, min: 4}
    internal: {default: x, hidden: true}
services:
  web:
    image: "web:\${tag}"
    ports: ["\${port}:80"]
    mem_limit: \${size}
    stop_grace_period: \${wait}
    environment: {MODE: "\${mode}", PASSWORD: "\${password}", DEBUG: "\${debug}"}
    tty: \${debug}
  api: {image: "api:\${tag}", environment: ["PASSWORD=\${password}"]}
`;
const given = { size: "64m", password: "secret" };

test("a parameter is typed, has a default, and is bound to any number of services", () => {
  const { app } = loadFiles(compose, { set: { ...given, debug: "yes" } });
  expect(app.services["web"]).toMatchObject({
    image: "web:1.0",
    ports: [{ hostPort: 8080 }],
    resources: { memory_bytes: 64 << 20 },
    stopGracePeriod_ms: 90_000,
    environment: { MODE: "dev", PASSWORD: "secret", DEBUG: "true" },
    tty: true,
  });
  expect(app.services["api"]).toMatchObject({ image: "api:1.0", environment: { PASSWORD: "secret" } });
});

test("--set wins over the answers file, that over the environment, that over the default", () => {
  const portOf = (input: object) =>
    loadFiles(compose, { ...input, set: { ...given, ...(input as { set?: object }).set } }).app.params.find(
      ({ name }) => name === "port",
    );
  const environment = { BERTH_PARAM_PORT: "3003", port: "3004" };
  expect(portOf({ set: { port: "3001" }, answers: { port: "3002" }, environment })).toMatchObject({
    value: "3001",
    source: "set",
  });
  expect(portOf({ answers: { port: "3002" }, environment })).toMatchObject({ value: "3002", source: "answers" });
  expect(portOf({ environment })).toMatchObject({ value: "3003", source: "environment" });
  expect(portOf({ environment: { port: "3004" } })).toMatchObject({ value: "3004", source: "environment" });
  expect(portOf({})).toMatchObject({ value: "8080", source: "default" });
});

test("those without a value are listed, to be asked for, whatever else is wrong with the file because of it", () => {
  const result = tryFiles(compose);
  expect(result.app).toBeUndefined();
  expect(result.missing.map(({ name, type }) => [name, type])).toEqual([
    ["size", "size"],
    ["password", "secret"],
  ]);
  const odd = "x-berth: {params: {port: {pattern: '[0-9]+'}}}\nservices: {web: {image: a, ports: ['${port}']}}";
  expect(tryFiles(odd).missing).toHaveLength(1);
});

const error = (set: Record<string, string>) => {
  try {
    loadFiles(compose, { set: { ...given, ...set } });
  } catch (thrown) {
    return (thrown as Error).message;
  }
  return "";
};

test("values are checked wherever they come from, and a secret is never shown", () => {
  expect(error({ port: "x" })).toContain('x-berth.params.port: "x" is not a whole number (from --set port)');
  expect(error({ port: "80" })).toContain('"80" is below the least, 1024');
  expect(error({ size: "2g" })).toContain('"2g" is above the most, 1073741824 bytes');
  expect(error({ wait: "6m" })).toContain('"6m" is above the most, 300000 ms');
  expect(error({ mode: "test" })).toContain('"test" is not one of dev, prod');
  expect(error({ debug: "maybe" })).toContain('"maybe" is not true or false');
  expect(error({ tag: "1.0x" })).toContain("does not match");
  expect(error({ password: "abc" })).toContain("the value is below the least, 4 characters");
  expect(error({ prot: "1" })).toContain("--set gives prot, which the app declares no parameter for");
  expect(() => loadFiles(compose, { set: given, answers: { port: "1" } })).toThrow("from the answers file");
  expect(() => loadFiles(compose, { set: given, environment: { BERTH_PARAM_PORT: "1" } })).toThrow(
    "from the environment",
  );
});

test("declarations are checked: bounds, patterns, values, defaults, names", () => {
  const declare = (param: string) => () =>
    loadFiles(`x-berth: {params: {p: {${param}}}}\nservices: {web: {image: a}}`, { set: { p: "1" } });
  expect(declare("type: int, min: x")).toThrow('min is "x", which is no bound for type int');
  expect(declare("pattern: '('")).toThrow('"(" is no pattern');
  expect(declare("type: enum")).toThrow("a parameter of type enum needs the key values");
  expect(declare("type: int, default: a")).toThrow('the default does not fit: "a" is not a whole number');
  expect(declare("type: strng")).toThrow(
    "x-berth.params.p.type: expected one of string, int, bool, enum, secret, size, duration",
  );
  expect(declare("defalt: 1")).toThrow('a parameter has no key "defalt"');
  expect(() => loadFiles("x-berth: {params: {a-b: }}\nservices: {}")).toThrow('"a-b" is no name for parameters');
});

test("a pattern takes linear time, however nasty", () => {
  const before = performance.now();
  const nasty = "x-berth: {params: {p: {pattern: '(a+)+b'}}}\nservices: {web: {image: a}}";
  expect(() => loadFiles(nasty, { set: { p: "a".repeat(5_000) } })).toThrow("does not match");
  expect(performance.now() - before).toBeLessThan(2_000);
});

test("an answers file brings the same values again, and keeps secrets out unless told", () => {
  const { app } = loadFiles(compose, { set: { ...given, port: "9000" } });
  const answers = writeAnswers(app.params);
  expect(answers).toContain('# Where to listen\nport: "9000"  # int\n');
  expect(answers).toContain("# password:  # secret\n");
  expect(answers).not.toContain("internal");
  expect(answers).not.toContain("secret\n\npassword: secret");
  const withSecret = writeAnswers(app.params, { secrets: { password: "secret" } });
  const again = loadFiles(compose, { answers: parseAnswers("answers.yaml", withSecret) });
  expect(again.app.services).toEqual(app.services);
});

test("an answers file may nest the names of nested apps; what is none is told with its place", () => {
  expect(parseAnswers("a.yaml", "port: 1\norders: {size: 1g, deep: {x: true}}\nusers.size: 2g\n")).toEqual({
    port: "1",
    "orders.size": "1g",
    "orders.deep.x": "true",
    "users.size": "2g",
  });
  expect(() => parseAnswers("a.yaml", "port: [1]")).toThrow("a.yaml:1:7: port: an answers file is a mapping");
  expect(parseSet(["a=b=c", "d="])).toEqual({ a: "b=c", d: "" });
  expect(() => parseSet(["=x"])).toThrow("it is not NAME=VALUE");
});
