import { expect, test } from "vitest";
import { loadFiles } from "../../testing/app-files.ts";

test("a service extends another of the same file; its own words are merged over", () => {
  const { app } = loadFiles(`
services:
  base: {image: a, user: b, environment: {A: 1, B: 2}, dns: [1.1.1.1], command: x, depends_on: [db]}
  web: {extends: base, user: w, environment: {B: 3}, dns: [8.8.8.8], command: y}
  again: {extends: {service: web}, image: c}
  db: {image: d}
`);
  expect(app.services["web"]).toMatchObject({
    image: "a",
    user: "w",
    environment: { A: "1", B: "3" },
    dns: ["1.1.1.1", "8.8.8.8"],
    command: ["y"],
  });
  expect(app.services["again"]).toMatchObject({ image: "c", user: "w", dependsOn: { db: { required: true } } });
});

test("across files, paths start at the file that they stand in, and the other file's services stay out", () => {
  const { app } = loadFiles(
    {
      "compose.yaml": "services: {web: {extends: {file: common/base.yaml, service: web}, volumes: [./w:/w]}}",
      "common/base.yaml":
        "services:\n  web: {extends: root, build: ., volumes: [./b:/b], env_file: x.env}\n  root: {user: '${U}'}\n  other: {image: o}",
      "common/x.env": "A=1",
    },
    { environment: { U: "u" } },
  );
  expect(Object.keys(app.services)).toEqual(["web"]);
  expect(app.services["web"]).toMatchObject({ user: "u", build: { context: "/app/common" }, environment: { A: "1" } });
  expect(app.services["web"]!.mounts.map(({ source }) => source)).toEqual(["/app/common/b", "/app/w"]);
});

test("!reset and !override work on what is extended", () => {
  const { app } = loadFiles(
    "services: {base: {image: a, ports: ['80:80'], dns: [1.1.1.1]}, web: {extends: base, ports: !reset [], dns: !override [8.8.8.8]}}",
  );
  expect(app.services["web"]).toMatchObject({ ports: [], dns: ["8.8.8.8"] });
});

test("extending round and round is refused, in one file and across two", () => {
  expect(() => loadFiles("services: {a: {extends: b}, b: {extends: c}, c: {extends: a}}")).toThrow(
    "the services extend each other: a -> b -> c -> a",
  );
  expect(() =>
    loadFiles({
      "compose.yaml": "services: {a: {extends: {file: x.yaml, service: x}}}",
      "x.yaml": "services: {x: {extends: {file: y.yaml, service: y}}}",
      "y.yaml": "services: {y: {extends: {file: x.yaml, service: x}}}",
    }),
  ).toThrow("a -> x in /app/x.yaml -> y in /app/y.yaml -> x in /app/x.yaml");
});

test("a file of the same name as this one may be named", () => {
  const { app } = loadFiles("services: {base: {image: a}, web: {extends: {file: compose.yaml, service: base}}}");
  expect(app.services["web"]!.image).toBe("a");
});

test("what cannot be extended is told with the nearest name", () => {
  expect(() => loadFiles("services: {base: {image: a}, web: {extends: bsae}}")).toThrow(
    'services.web.extends: there is no service "bsae"',
  );
  expect(() => loadFiles("services: {web: {extends: {file: x.yaml, service: a}}}")).toThrow(
    "there is no file /app/x.yaml",
  );
  expect(() => loadFiles("services: {web: {extends: {file: 'https://x/y', service: a}}}")).toThrow(
    "Berth extends from files only",
  );
  expect(() =>
    loadFiles({
      "compose.yaml": "services: {web: {extends: {file: x.yaml, service: a}}}",
      "x.yaml": "services: {b: {image: b}}",
    }),
  ).toThrow('there is no service "a" in /app/x.yaml');
});

test("a service of a later file extends one of an earlier file", () => {
  const files = { "a.yaml": "services: {base: {image: a, user: u}}", "b.yaml": "services: {web: {extends: base}}" };
  expect(loadFiles(files, { paths: ["a.yaml", "b.yaml"] }).app.services["web"]).toMatchObject({
    image: "a",
    user: "u",
  });
});
