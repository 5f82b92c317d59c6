import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BuildFixture } from "./build-fixture.ts";

let fixture: BuildFixture;
beforeAll(async () => {
  fixture = await BuildFixture.make();
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

function processesWith(words: string): string[] {
  return readdirSync("/proc").filter(pid => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").startsWith(words);
    } catch {
      return false;
    }
  });
}

async function killedAt(text: string, words: string): Promise<void> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "build-child.ts"), fixture.base, fixture.instance, text],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let seen = "";
  for await (const chunk of child.stdout) {
    seen += chunk;
    if (!seen.includes(words)) continue;
    child.kill("SIGKILL");
    break;
  }
  if (child.signalCode === null && child.exitCode === null) await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");
}

test("a builder killed -9 in a step: the next one takes down its container, root, network, secrets and files, and finished steps stay cached", async () => {
  const text =
    "FROM busybox\nRUN echo finished > /f\nRUN --mount=type=secret,id=token --mount=type=cache,target=/c echo sleeping && sleep 98765\n";
  await killedAt(text, "sleeping");
  expect((await fixture.leftovers()).length).toBeGreaterThan(0);
  const next = await fixture.build("FROM busybox\nRUN echo finished > /f\n", {}, fixture.open());
  expect(next.cached).toContain("RUN echo finished > /f");
  expect(await fixture.leftovers()).toEqual([]);
  expect(processesWith("sleep 98765")).toEqual([]);
});

test("a build that is running in another process is left alone by a sweep", async () => {
  const text = "FROM busybox\nRUN echo going && sleep 1 && echo done > /d\n";
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "build-child.ts"), fixture.base, fixture.instance, text],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  await once(child.stdout, "data");
  await fixture.build("FROM busybox\nRUN true\n", {}, fixture.open());
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
});
