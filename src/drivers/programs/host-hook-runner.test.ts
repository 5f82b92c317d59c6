import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { HostHookRunner } from "./host-hook-runner.ts";

const directory = mkdtempSync(join(tmpdir(), "berth-hooks-"));
afterAll(() => rmSync(directory, { recursive: true }));
const runner = new HostHookRunner({ PATH: process.env["PATH"], TOKEN: "of berthd" });
const hook = (script: string, timeout_ms = 5000) => ({
  command: ["sh", "-c", script],
  timeout_ms,
  environment: { OWN: "mine" },
});

test("a hook sees its task and its own variables, and none of berthd's", async () => {
  const path = join(directory, "seen");
  await runner.run(hook(`echo "$BERTH_TASK $OWN $TOKEN." > ${path}`), { BERTH_TASK: "t1" });
  expect(readFileSync(path, "utf8")).toBe("t1 mine .\n");
});

test("a failure, a missing program and a late end are told apart, with what the hook said last", async () => {
  await expect(runner.run(hook("echo no mount >&2; exit 3"), {})).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringMatching(/ended with 3: no mount$/),
  });
  const missing = { ...hook(""), command: ["berth-no-such-program"] };
  await expect(runner.run(missing, {})).rejects.toMatchObject({ code: "not_found" });
  await expect(runner.run(hook("sleep 100", 50), {})).rejects.toMatchObject({ code: "timeout" });
});

test("what a hook leaves in the background does not hold it up", async () => {
  const before_ms = performance.now();
  await runner.run(hook("sleep 3 &"), {});
  expect(performance.now() - before_ms).toBeLessThan(2500);
});
