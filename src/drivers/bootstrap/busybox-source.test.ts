import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BusyboxSource } from "./busybox-source.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "berth-busybox-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const reference = "docker.io/library/busybox:latest";

test("busybox is a root that runs, the same each time", async () => {
  const source = new BusyboxSource();
  await using produced = await source.produce(reference);
  await using again = await source.produce("docker.io/library/busybox:1.36");
  const tar = await buffer(produced.tar);
  expect(tar.equals(await buffer(again.tar))).toBe(true);
  expect(again.created).toBe(produced.created);
  execFileSync("tar", ["-C", dir, "-xpf", "-", "--same-owner"], { input: tar });
  const output = execFileSync(
    "chroot",
    [dir, "/bin/sh", "-c", "echo $((6 * 7)); id -un; id -u nobody; env true && ls /bin/grep"],
    { encoding: "utf8" },
  );
  expect(output).toBe("42\nroot\n65534\n/bin/grep\n");
  expect(statSync(join(dir, "tmp")).mode & 0o7777).toBe(0o1777);
  expect(readFileSync(join(dir, "etc/group"), "utf8")).toContain("nogroup:x:65534:");
  expect(produced.config.Cmd).toEqual(["sh"]);
});

test("a host without a static busybox is told what to install", async () => {
  const hint = "install it: apt-get install busybox-static";
  await expect(new BusyboxSource([join(dir, "none")]).produce(reference)).rejects.toMatchObject({
    code: "not_found",
    hint,
  });
  await expect(new BusyboxSource(["/bin/sh"]).produce(reference)).rejects.toMatchObject({
    message: /needs libraries/,
    hint,
  });
});
