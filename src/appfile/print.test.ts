import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { App } from "../model/app.ts";
import { filesIn, loadFiles } from "../testing/app-files.ts";
import { loadApp } from "./load.ts";
import {
  printDocument,
  printEnvironment,
  printHashes,
  printImages,
  printNetworks,
  printProfiles,
  printServices,
  printVolumes,
} from "./print.ts";
import { serviceHash } from "./service-hash.ts";

/** What a printed app, read again, must be the same in: all but where it came from. */
const essence = ({ services, networks, volumes, secrets, configs, models, name, extensions }: App) => ({
  ...{ name, networks, volumes, secrets, configs, models, extensions },
  services: Object.fromEntries(
    Object.entries(services).map(([key, service]) => [key, { ...service, envFiles: [], labelFiles: [] }]),
  ),
});

test("what is printed loads again as the same app, in YAML and JSON", () => {
  const full = readFileSync(join(import.meta.dirname, "golden/full.compose.yaml"), "utf8");
  const input = { profiles: ["front"], environment: { FROM_ENV: "env", HOME: "/home/me" } };
  const first = loadFiles({ "compose.yaml": full, "one.env": "A=1", "raw.env": "B='$x'", labels: "l=$$m" }, input);
  for (const format of ["yaml", "json"] as const) {
    const text = printDocument(first.document, format);
    const files = filesIn({ "/elsewhere/compose.yaml": text });
    const again = loadApp({ files, workingDirectory: "/elsewhere", environment: {}, profiles: ["front"] });
    expect(essence(again.app!)).toEqual(essence(first.app));
    expect(printDocument((again as typeof first).document, format)).toBe(text);
  }
});

const sample = `
services:
  web: {build: ., volumes: [data:/d]}
  db: {image: redis, profiles: [b, a], networks: [back]}
  dev: {image: redis, profiles: [dev]}
volumes: {data: }
networks: {back: }
`;

test("lists of services, images, volumes, networks and profiles", () => {
  const { app } = loadFiles(sample, { profiles: ["a"] });
  expect(printServices(app)).toBe("db\nweb\n");
  expect(printImages(app)).toBe("app-web\nredis\n");
  expect(printVolumes(app)).toBe("data\n");
  expect(printNetworks(app)).toBe("back\ndefault\n");
  expect(printProfiles(app)).toBe("a\nb\ndev\n");
  expect(printEnvironment({ B: "2", A: "1" })).toBe("A=1\nB=2\n");
  expect(printHashes(app, "*")).toMatch(/^db [0-9a-f]{64}\nweb [0-9a-f]{64}\n$/);
  expect(printHashes(app, "web")).toMatch(/^web [0-9a-f]{64}\n$/);
});

const hashOf = (compose: string, files: Record<string, string> = {}) => {
  const { app } = loadFiles({ "compose.yaml": compose, ...files });
  return serviceHash(app.services["web"]!, app);
};

test("the hash of a service is the same for the same wish, however it is written", () => {
  expect(hashOf("services: {web: {image: a, user: u, environment: {A: 1, B: 2}, ports: ['80:80']}}")).toBe(
    hashOf(
      "services:\n  web:\n    environment: [B=2, A=1]\n    ports: [{published: 80, target: 80}]\n    user: u\n    image: a",
    ),
  );
});

test("it changes with what is in the container: environment files and inline configs, too", () => {
  const hash = hashOf("services: {web: {image: a}}");
  expect(hashOf("services: {web: {image: b}}")).not.toBe(hash);
  expect(hashOf("services: {web: {image: a, env_file: x}}", { x: "A=1" })).not.toBe(hash);
  const config = (content: string) =>
    hashOf(`services: {web: {image: a, configs: [c]}}\nconfigs: {c: {content: ${content}}}`);
  expect(config("one")).not.toBe(config("two"));
  expect(hashOf("services: {web: {image: a, deploy: {resources: {limits: {memory: 1g}}}}}")).not.toBe(hash);
});

test("it does not change with how many there are, when they start and how they are updated", () => {
  const hash = hashOf("services: {web: {image: a}, db: {image: d}}");
  expect(
    hashOf(
      "services: {web: {image: a, scale: 3, depends_on: [db], profiles: [], deploy: {update_config: {order: start-first}}}, db: {image: d}}",
    ),
  ).toBe(hash);
});
