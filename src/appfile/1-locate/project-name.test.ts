import { expect, test } from "vitest";
import { loadFiles } from "../../testing/app-files.ts";

const nameOf = (compose: string, input: object = {}, path = "compose.yaml") =>
  loadFiles({ [path]: `${compose}\nservices: {web: {image: a}}` }, input).app.name;

test("-p wins over COMPOSE_PROJECT_NAME, that over name:, that over the directory", () => {
  const environment = { COMPOSE_PROJECT_NAME: "variable" };
  expect(nameOf("name: file", { projectName: "flag", environment })).toBe("flag");
  expect(nameOf("name: file", { environment })).toBe("variable");
  expect(nameOf("name: file")).toBe("file");
  expect(nameOf("")).toBe("app");
});

test("the last name: counts, with its variables filled in", () => {
  const files = { "a.yaml": "name: a\nservices: {web: {image: x}}", "b.yaml": "name: b-${N}" };
  expect(loadFiles(files, { paths: ["a.yaml", "b.yaml"], environment: { N: "7" } }).app.name).toBe("b-7");
});

test("flag and variable must be well formed, name: and the directory are made so", () => {
  expect(() => nameOf("", { projectName: "My App" })).toThrow('the app name "My App" given by -p is not well formed');
  expect(() => nameOf("", { environment: { COMPOSE_PROJECT_NAME: "_x" } })).toThrow(
    "COMPOSE_PROJECT_NAME is not well formed",
  );
  expect(nameOf("name: _My.App-1")).toBe("myapp-1");
  expect(nameOf("", { workingDirectory: "/Some Dir.x" }, "/Some Dir.x/compose.yaml")).toBe("somedirx");
  expect(() => nameOf("name: '...'")).toThrow("no letter or digit is left");
});

test("COMPOSE_PROJECT_NAME can be used in the file, whatever gave the name", () => {
  const { app } = loadFiles("name: shop\nservices: {web: {image: '${COMPOSE_PROJECT_NAME}/web'}}");
  expect(app.services["web"]!.image).toBe("shop/web");
});
