import { mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { FileLocks } from "./file-locks.ts";
import { getXattr, listXattrs, setXattr } from "./files.ts";
import { mount, mountFlags, unmount, unmountIfMounted } from "./mount.ts";
import { createNetworkNamespace, inNetworkNamespace } from "./namespace.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "berth-linux-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("an exclusive lock keeps others out until it is given back", async () => {
  const locks = new FileLocks(systemClock);
  const path = join(dir, "lock");
  const held = locks.tryAcquire(path);
  expect(held).toBeDefined();
  expect(locks.tryAcquire(path)).toBeUndefined();
  expect(locks.isHeld(path)).toBe(true);
  await expect(locks.acquire(path, { timeout_ms: 20 })).rejects.toMatchObject({ code: "timeout" });
  const waiting = locks.acquire(path);
  await held?.[Symbol.asyncDispose]();
  await (await waiting)[Symbol.asyncDispose]();
  expect(locks.isHeld(path)).toBe(false);
});

test("shared holders do not exclude each other, but an exclusive one", async () => {
  const locks = new FileLocks(systemClock);
  const path = join(dir, "lock");
  await using first = await locks.acquire(path, { shared: true });
  await using second = await locks.acquire(path, { shared: true });
  expect(first.fd).not.toBe(second.fd);
  expect(locks.tryAcquire(path)).toBeUndefined();
});

test("extended attributes are read and written on the link itself, and a missing one is undefined", () => {
  const file = join(dir, "file");
  writeFileSync(file, "");
  setXattr(file, "user.colour", Buffer.from("blue"));
  expect(getXattr(file, "user.colour")?.toString()).toBe("blue");
  expect(getXattr(file, "user.none")).toBeUndefined();
  expect(listXattrs(file)).toEqual(["user.colour"]);
  symlinkSync("file", join(dir, "link"));
  expect(getXattr(join(dir, "link"), "user.colour")).toBeUndefined();
});

test("a network namespace is entered for one call and left again, also when the call throws", () => {
  const path = join(dir, "netns");
  writeFileSync(path, "");
  createNetworkNamespace(path);
  try {
    const here = () => readlinkSync("/proc/thread-self/ns/net");
    const home = here();
    expect(inNetworkNamespace(path, here)).not.toBe(home);
    expect(() =>
      inNetworkNamespace(path, () => {
        throw new Error("inside");
      }),
    ).toThrow("inside");
    expect(here()).toBe(home);
  } finally {
    unmount(path);
  }
});

test("mount errors name the call, the target and the reason", () => {
  expect(() => mount("/nowhere", join(dir, "target"), null, mountFlags.bind)).toThrow(/mount .*target: ENOENT/);
  expect(unmountIfMounted(dir)).toBe(false);
});
