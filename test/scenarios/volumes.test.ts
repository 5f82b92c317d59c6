import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { LocalVolumes } from "../../src/drivers/volume/local-volumes.ts";

let directory: string;
let volumes: LocalVolumes;
const nobody = { inUse: async () => undefined };
const spec = (name: string, options: Record<string, string>) => ({ name, driver: "local", options, labels: {} });
const mounts = () =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter(line => line.includes(directory));

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-volumes-"));
  volumes = new LocalVolumes({
    directory: join(directory, "volumes"),
    stateDirectory: join(directory, "run"),
    locks: new FileLocks(systemClock),
    clock: systemClock,
  });
});
afterAll(() => {
  expect(mounts()).toEqual([]);
  rmSync(directory, { recursive: true, force: true });
});

test("a tmpfs volume is mounted for its first user and unmounted after its last", async () => {
  await volumes.create(spec("memory", { type: "tmpfs", device: "tmpfs", o: "size=1m,mode=1777" }));
  const path = await volumes.attach("memory", "one");
  expect(await volumes.attach("memory", "two")).toBe(path);
  expect(mounts()).toHaveLength(1);
  expect(() => writeFileSync(join(path, "big"), Buffer.alloc(2 << 20))).toThrow(/ENOSPC/);
  await volumes.detach("memory", "one");
  expect(mounts()).toHaveLength(1);
  await volumes.detach("memory", "two");
  expect(mounts()).toHaveLength(0);
  await volumes.remove("memory", nobody);
});

test("a bind volume shows a host directory, read-only where asked, and removing the volume leaves the files", async () => {
  const host = join(directory, "host");
  mkdirSync(host);
  writeFileSync(join(host, "precious"), "data");
  await volumes.create(spec("bound", { type: "none", device: host, o: "bind,ro" }));
  const path = await volumes.attach("bound", "one");
  expect(readFileSync(join(path, "precious"), "utf8")).toBe("data");
  expect(() => writeFileSync(join(path, "new"), "")).toThrow(/EROFS/);
  await expect(volumes.remove("bound", nobody)).rejects.toMatchObject({ code: "in_use" });
  await volumes.detach("bound", "one");
  await volumes.remove("bound", nobody);
  expect(readdirSync(host)).toEqual(["precious"]);
});

test("a mount that a killed engine left behind is taken away with the volume, the files below it untouched", async () => {
  const host = join(directory, "kept");
  mkdirSync(host);
  writeFileSync(join(host, "precious"), "data");
  await volumes.create(spec("left", { type: "none", device: host, o: "bind" }));
  await volumes.attach("left", "killed");
  rmSync(join(directory, "run", "users"), { recursive: true }); // as after the user's records are gone
  await volumes.remove("left", nobody);
  expect(readdirSync(host)).toEqual(["precious"]);
});

test("the image's files go into what the volume mounts, not below it", async () => {
  const [host, image] = [join(directory, "empty"), join(directory, "image")];
  mkdirSync(host);
  mkdirSync(image);
  writeFileSync(join(image, "default.conf"), "");
  await volumes.create(spec("filled", { type: "none", device: host, o: "bind" }));
  await volumes.populate("filled", image);
  expect(readdirSync(host)).toEqual(["default.conf"]);
  expect(mounts()).toEqual([]);
  await volumes.remove("filled", nobody);
});

test("a device that cannot be mounted is an error that names it, and the volume stays usable for another try", async () => {
  await volumes.create(spec("broken", { type: "ext4", device: "/dev/does-not-exist" }));
  await expect(volumes.attach("broken", "one")).rejects.toThrow(
    /could not mount the volume broken \(\/dev\/does-not-exist\): .*ENOENT/,
  );
  await volumes.remove("broken", nobody);
});
