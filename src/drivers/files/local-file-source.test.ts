import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadApp } from "../../appfile/load.ts";
import { localFileSource } from "./local-file-source.ts";

const directory = mkdtempSync(join(tmpdir(), "berth-appfile-"));
afterAll(() => rmSync(directory, { recursive: true }));

test("an app is loaded from the disk; what is not there is undefined, a directory is refused", () => {
  writeFileSync(join(directory, "compose.yaml"), "name: here\nservices: {web: {image: nginx}}\n");
  const files = localFileSource();
  const { app } = loadApp({ files, workingDirectory: directory, environment: {} });
  expect(app?.name).toBe("here");
  expect(files.read(join(directory, "other"))).toBeUndefined();
  expect(() => files.read(directory)).toThrow("it is a directory");
});
