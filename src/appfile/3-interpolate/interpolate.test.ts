import { expect, test } from "vitest";
import { loadFiles } from "../../testing/app-files.ts";
import { substitute } from "./template.ts";

const environment: Record<string, string> = { SET: "v", EMPTY: "", OTHER: "o" };
const fill = (template: string) => substitute(template, name => environment[name]);

test("each form gives what the specification's table says, for set, empty and unset variables", () => {
  const table: [string, string][] = [
    ["$SET", "v"],
    ["${SET}", "v"],
    ["$SET-x", "v-x"],
    ["${SET:-d}", "v"],
    ["${EMPTY:-d}", "d"],
    ["${UNSET:-d}", "d"],
    ["${SET-d}", "v"],
    ["${EMPTY-d}", ""],
    ["${UNSET-d}", "d"],
    ["${SET:?e}", "v"],
    ["${SET?e}", "v"],
    ["${EMPTY?e}", ""],
    ["${SET:+a}", "a"],
    ["${EMPTY:+a}", ""],
    ["${UNSET:+a}", ""],
    ["${SET+a}", "a"],
    ["${EMPTY+a}", "a"],
    ["${UNSET+a}", ""],
    ["${UNSET}", ""],
    ["$$SET $${SET}", "$SET ${SET}"],
    ["${UNSET:-${EMPTY:-${OTHER}}}", "o"],
    ["${UNSET:-$OTHER-$$}", "o-$"],
    ["${UNSET:-a:-b}", "a:-b"],
    ["${UNSET-}", ""],
    ["a$SET${OTHER}b", "avob"],
  ];
  for (const [template, expected] of table) expect(fill(template), template).toBe(expected);
});

test("required variables that are missing are told with their message", () => {
  expect(() => fill("${UNSET:?set it to $OTHER}")).toThrow("the variable UNSET is required and not set: set it to o");
  expect(() => fill("${EMPTY:?}")).toThrow("the variable EMPTY is required and empty");
});

test("a dollar that starts no variable is refused", () => {
  for (const template of ["a $ b", "$1", "${", "${}", "${1}", "${A:}", "${A!x}", "$"])
    expect(() => fill(template), template).toThrow();
});

test("values are filled in, keys are not", () => {
  const { app } = loadFiles("services: {web: {image: a, labels: {$SET: $SET}, environment: ['$$K=$SET']}}", {
    environment,
  });
  expect(app.services["web"]!.labels).toEqual({ $SET: "v" });
  expect(app.services["web"]!.environment).toEqual({ $K: "v" });
});

test("types are cast afterwards, on known paths only", () => {
  const { app } = loadFiles(
    "services: {web: {image: a, privileged: '${T}', scale: '${N}', ports: ['${N}:80'], environment: {A: '${N}'}, x-n: '${N}'}}",
    { environment: { T: "true", N: "3" } },
  );
  expect(app.services["web"]).toMatchObject({
    privileged: true,
    scale: 3,
    ports: [{ hostPort: 3 }],
    environment: { A: "3" },
    extensions: { "x-n": "3" },
  });
});

test("each file is filled in before it is merged", () => {
  const files = { "a.yaml": "services: {web: {image: 'a:${T}'}}", "b.yaml": "services: {web: {labels: {t: '${T}'}}}" };
  const { app } = loadFiles(files, { paths: ["a.yaml", "b.yaml"], environment: { T: "1" } });
  expect(app.services["web"]).toMatchObject({ image: "a:1", labels: { t: "1" } });
});

test("a required variable is missed even in a service that is not selected", () => {
  expect(() => loadFiles("services:\n  web: {image: a}\n  dev: {profiles: [dev], image: 'b:${TAG:?}'}")).toThrow(
    "/app/compose.yaml:3:36: services.dev.image: the variable TAG is required and not set",
  );
});

test("a variable that is not set is warned about once, one with a default is not", () => {
  const { warnings } = loadFiles("services: {web: {image: 'a:$NONE', user: '$NONE', hostname: '${X:-h}'}}");
  expect(warnings.map(({ message }) => message)).toEqual(["the variable NONE is not set; it stands for nothing"]);
});
