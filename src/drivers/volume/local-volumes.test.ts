import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { FileLocks } from "../linux/file-locks.ts";
import { getXattr, setXattr } from "../linux/files.ts";
import { LocalVolumes } from "./local-volumes.ts";

let directory: string;
let volumes: LocalVolumes;
const nobody = { inUse: async () => undefined };
const spec = (name: string, options: Record<string, string> = {}) => ({ name, driver: "", options, labels: {} });

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "berth-volumes-"));
  volumes = new LocalVolumes({
    directory: join(directory, "volumes"),
    stateDirectory: join(directory, "run"),
    locks: new FileLocks(systemClock),
    clock: systemClock,
  });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("create", () => {
  test("gives an empty directory, and the same volume when asked again", async () => {
    const volume = await volumes.create(spec("data"));
    expect(readdirSync(volume.mountpoint)).toEqual([]);
    expect(await volumes.create(spec("data"))).toEqual(volume);
    expect(await volumes.list()).toEqual([volume]);
  });

  test("without a name gives an anonymous one that prune removes", async () => {
    await volumes.create(spec("kept"));
    const anonymous = await volumes.create(spec(""));
    writeFileSync(join(anonymous.mountpoint, "file"), "12345");
    expect(anonymous).toMatchObject({ anonymous: true, name: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await volumes.prune(nobody)).toEqual({ removed: [anonymous.name], reclaimed_bytes: 5 });
    expect((await volumes.list()).map(each => each.name)).toEqual(["kept"]);
    expect((await volumes.prune({ ...nobody, all: true })).removed).toEqual(["kept"]);
  });

  test("refuses other options for a name that is taken, names that leave the directory, and options nobody knows", async () => {
    await volumes.create(spec("data", { type: "tmpfs", device: "tmpfs" }));
    await expect(volumes.create(spec("data", { type: "tmpfs", o: "size=1m" }))).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(volumes.create(spec("../up"))).rejects.toMatchObject({ code: "invalid" });
    await expect(volumes.create(spec("other", { colour: "blue" }))).rejects.toThrow('no option "colour"');
    await expect(volumes.create({ ...spec("other"), driver: "rexray" })).rejects.toMatchObject({ code: "unsupported" });
  });

  test("clears away the draft of a creation that was killed", async () => {
    mkdirSync(join(directory, "volumes", ".new-gone", "_data"), { recursive: true });
    mkdirSync(join(directory, "run", "locks"), { recursive: true });
    await volumes.create(spec("data"));
    expect(readdirSync(join(directory, "volumes"))).toEqual(["data"]);
  });
});

describe("remove", () => {
  test("refuses while a container needs it or has it attached, naming the container", async () => {
    await volumes.create(spec("data"));
    await expect(volumes.remove("data", { inUse: async () => "web" })).rejects.toThrow(/container web uses it/);
    await volumes.attach("data", "db");
    await expect(volumes.remove("data", nobody)).rejects.toMatchObject({ code: "in_use" });
    expect((await volumes.prune({ ...nobody, all: true })).removed).toEqual([]);
    await volumes.detach("data", "db");
    await volumes.remove("data", nobody);
    expect(existsSync(join(directory, "volumes", "data"))).toBe(false);
  });

  test("of one that is not there fails, unless forced", async () => {
    await expect(volumes.remove("none", nobody)).rejects.toMatchObject({ code: "not_found" });
    await volumes.remove("none", { ...nobody, force: true });
  });
});

describe("populate", () => {
  let source: string;
  beforeEach(() => {
    source = join(directory, "image");
    mkdirSync(join(source, "sub"), { recursive: true, mode: 0o750 });
    writeFileSync(join(source, "sub", "file"), "hello", { mode: 0o640 });
    symlinkSync("sub/file", join(source, "link"));
    setXattr(join(source, "sub", "file"), "user.colour", Buffer.from("blue"));
    chownSync(join(source, "sub", "file"), 101, 102);
    chownSync(source, 70, 70);
  });

  test("copies the image's files with owners, modes, links and attributes, the directory's own too", async () => {
    const { mountpoint } = await volumes.create(spec("data"));
    await volumes.populate("data", source);
    const file = join(mountpoint, "sub", "file");
    expect(lstatSync(file)).toMatchObject({ uid: 101, gid: 102 });
    expect(lstatSync(file).mode & 0o777).toBe(0o640);
    expect(lstatSync(mountpoint)).toMatchObject({ uid: 70, gid: 70 });
    expect(lstatSync(join(mountpoint, "link")).isSymbolicLink()).toBe(true);
    expect(getXattr(file, "user.colour")?.toString()).toBe("blue");
  });

  test("leaves a volume alone that has files already, and one that was populated before, also when it has been emptied", async () => {
    const full = await volumes.create(spec("full"));
    writeFileSync(join(full.mountpoint, "mine"), "");
    await volumes.populate("full", source);
    expect(readdirSync(full.mountpoint)).toEqual(["mine"]);
    const emptied = await volumes.create(spec("emptied"));
    await volumes.populate("emptied", source);
    for (const name of readdirSync(emptied.mountpoint)) rmSync(join(emptied.mountpoint, name), { recursive: true });
    await volumes.populate("emptied", source);
    expect(readdirSync(emptied.mountpoint)).toEqual([]);
  });

  test("gives an empty directory's owner and mode, and does nothing for a file", async () => {
    const empty = join(directory, "empty");
    mkdirSync(empty);
    chownSync(empty, 999, 998);
    chmodSync(empty, 0o1770);
    const { mountpoint } = await volumes.create(spec("data"));
    await volumes.populate("data", empty);
    expect(lstatSync(mountpoint)).toMatchObject({ uid: 999, gid: 998, mode: 0o41770 });
    const other = await volumes.create(spec("other"));
    await volumes.populate("other", join(source, "sub", "file"));
    expect(readdirSync(other.mountpoint)).toEqual([]);
  });

  test("starts afresh where an earlier copy was killed half way", async () => {
    const { mountpoint } = await volumes.create(spec("data"));
    writeFileSync(join(directory, "volumes", "data", "populating"), "");
    writeFileSync(join(mountpoint, "half"), "");
    await volumes.populate("data", source);
    expect(readdirSync(mountpoint).sort()).toEqual(["link", "sub"]);
    expect(readFileSync(join(mountpoint, "sub", "file"), "utf8")).toBe("hello");
  });
});

test("size counts a file with two names once", async () => {
  const { mountpoint } = await volumes.create(spec("data"));
  writeFileSync(join(mountpoint, "one"), Buffer.alloc(1000));
  mkdirSync(join(mountpoint, "sub"));
  (await import("node:fs")).linkSync(join(mountpoint, "one"), join(mountpoint, "sub", "two"));
  expect(await volumes.size_bytes("data")).toBe(1000);
});
