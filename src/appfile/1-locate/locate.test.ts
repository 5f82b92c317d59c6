import { expect, test } from "vitest";
import { filesIn, loadFiles } from "../../testing/app-files.ts";
import { loadApp } from "../load.ts";

const image = (name: string) => `services: {web: {image: ${name}}}\n`;

test("compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml are looked for in this order, with a warning for the rest", () => {
  const names = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
  for (let from = 0; from < names.length; from++) {
    const here = names.slice(from);
    const { app, warnings } = loadFiles(Object.fromEntries(here.map(name => [name, image(name)])));
    expect(app.services["web"]!.image).toBe(names[from]);
    expect(warnings).toHaveLength(here.length > 1 ? 1 : 0);
  }
});

test("the file is searched upwards, and the app's directory is where it is", () => {
  const { app } = loadFiles(
    { "compose.yaml": "services: {web: {image: a, volumes: [./x:/x]}}" },
    { workingDirectory: "/app/deep/er" },
  );
  expect(app.directory).toBe("/app");
  expect(app.name).toBe("app");
  expect(app.services["web"]!.mounts[0]!.source).toBe("/app/x");
});

test("where there is no file the error names the places and the way out", () => {
  expect(() => loadFiles({}, { workingDirectory: "/none/here" })).toThrow(
    "looking for an app file in /none/here and above",
  );
});

test("override files are loaded by themselves, but not with -f", () => {
  const files = {
    "compose.yaml": image("base"),
    "compose.override.yaml": image("override"),
    "other.yaml": image("other"),
  };
  expect(loadFiles(files).app.services["web"]!.image).toBe("override");
  expect(loadFiles(files, { paths: ["compose.yaml"] }).app.services["web"]!.image).toBe("base");
  expect(
    loadFiles({ "docker-compose.yml": image("base"), "docker-compose.override.yml": image("over") }).app.services[
      "web"
    ]!.image,
  ).toBe("over");
});

test("several -f override each other in order, and paths start at the first one's directory", () => {
  const { app } = loadFiles(
    { "one/a.yaml": image("a"), "two/b.yaml": "services: {web: {image: b, build: ./src}}" },
    { paths: ["one/a.yaml", "two/b.yaml"] },
  );
  expect(app.services["web"]!.image).toBe("b");
  expect(app.services["web"]!.build!.context).toBe("/app/one/src");
  expect(app.files).toEqual(["/app/one/a.yaml", "/app/two/b.yaml"]);
});

test("-f - reads the standard input, relative to the working directory", () => {
  const { app } = loadFiles({ "-": "services: {web: {build: .}}" }, { paths: ["-"] });
  expect(app.services["web"]!.build!.context).toBe("/app");
});

test("COMPOSE_FILE names files where -f does not, from the environment or .env, with its own separator", () => {
  const files = { "a.yaml": image("a"), "b.yaml": "services: {web: {user: b}}" };
  expect(loadFiles(files, { environment: { COMPOSE_FILE: "a.yaml:b.yaml" } }).app.services["web"]).toMatchObject({
    image: "a",
    user: "b",
  });
  expect(
    loadFiles({ ...files, ".env": "COMPOSE_FILE=b.yaml;a.yaml\nCOMPOSE_PATH_SEPARATOR=;" }).app.services["web"]!.user,
  ).toBe("b");
  expect(
    loadFiles(files, { environment: { COMPOSE_FILE: "b.yaml" }, paths: ["a.yaml"] }).app.services["web"]!.user,
  ).toBeUndefined();
});

test("--project-directory is where relative paths and .env are", () => {
  const { app } = loadFiles(
    { "x/compose.yaml": "services: {web: {build: ., image: '$TAG'}}", "other/.env": "TAG=t" },
    { paths: ["x/compose.yaml"], projectDirectory: "other" },
  );
  expect(app.services["web"]).toMatchObject({ image: "t", build: { context: "/app/other" } });
  expect(app.name).toBe("other");
});

test("process environment wins over .env; --env-file replaces .env, later files win, and must be there", () => {
  const compose = "services: {web: {image: '${A}-${B}-${C:-none}'}}";
  const files = {
    "compose.yaml": compose,
    ".env": "A=env\nB=env\nC=env",
    "one.env": "A=one\nB=one",
    "two.env": "B=two",
  };
  const imageOf = (input: object) => loadFiles(files, input).app.services["web"]!.image;
  expect(imageOf({ environment: { A: "process" } })).toBe("process-env-env");
  expect(imageOf({ envFiles: ["one.env", "two.env"] })).toBe("one-two-none");
  expect(() => imageOf({ envFiles: ["none.env"] })).toThrow(
    "reading the env file /app/none.env: there is no such file",
  );
});

test("a file that -f names and that is not there is told", () => {
  expect(() => loadApp({ files: filesIn({}), workingDirectory: "/", environment: {}, paths: ["x.yaml"] })).toThrow(
    "reading the app file /x.yaml: there is no such file",
  );
});
