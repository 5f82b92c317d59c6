import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultLayerLimits, LayerBounds, type LayerLimits } from "../../image/layer/layer-limits.ts";
import { type MemberSpec, tarOf } from "../../testing/tar-of.ts";
import { getXattr } from "../linux/files.ts";
import { LayerExtraction } from "./extract-layer.ts";
import { finishLayer } from "./finish-layer.ts";
import { isOpaque, isWhiteout, LowerView } from "./lower-view.ts";

let dir: string;
let secret: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "berth-layers-"));
  secret = join(dir, "secret");
  writeFileSync(secret, "untouched");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Unpacks one layer after the other; returns their directories, lowest first. */
function unpack(...tars: Buffer[]): string[] {
  const layers: string[] = [];
  for (const tar of tars) {
    const layer = mkdtempSync(join(dir, "layer-"));
    using extraction = new LayerExtraction(layer, new LayerBounds(defaultLayerLimits));
    extraction.push(tar);
    finishLayer(layer, extraction.finish().remarks, new LowerView(layers));
    layers.push(layer);
  }
  return layers;
}

const one = (...members: (MemberSpec | string)[]): string => unpack(tarOf(...members))[0]!;
const symlink = (path: string, link: string): MemberSpec => ({ path, type: "symlink", link });
const whiteoutAt = (path: string): boolean => existsSync(path) && isWhiteout(lstatSync(path));

describe("what a layer says is what is on disk", () => {
  test("owners, modes with setuid and sticky, times, links, attributes", () => {
    const capability = Buffer.from("0100000200040000000000000000000000000000", "hex").toString("latin1");
    const layer = one(
      { path: "bin/", type: "directory", mode: 0o1777, uid: 5, gid: 6, mtime: { seconds: 1000, nanoseconds: 0 } },
      {
        path: "bin/su",
        mode: 0o4755,
        uid: 7,
        gid: 8,
        content: "program",
        mtime: { seconds: 2000, nanoseconds: 0 },
        xattrs: { "user.note": "mine", "security.capability": capability },
      },
      { path: "bin/again", type: "hardlink", link: "bin/su" },
      { ...symlink("bin/sh", "/bin/su"), uid: 9, gid: 9 },
      { path: "fifo", type: "fifo", mode: 0o622 },
    );
    const su = statSync(join(layer, "bin/su"));
    expect([su.mode & 0o7777, su.uid, su.gid, su.mtimeMs, su.nlink]).toEqual([0o4755, 7, 8, 2_000_000, 2]);
    const bin = statSync(join(layer, "bin"));
    expect([bin.mode & 0o7777, bin.uid, bin.gid, bin.mtimeMs]).toEqual([0o1777, 5, 6, 1_000_000]);
    expect(readlinkSync(join(layer, "bin/sh"))).toBe("/bin/su");
    expect(lstatSync(join(layer, "bin/sh")).uid).toBe(9);
    expect(getXattr(join(layer, "bin/su"), "user.note")?.toString()).toBe("mine");
    expect(getXattr(join(layer, "bin/su"), "security.capability")?.length).toBe(20);
    expect(lstatSync(join(layer, "fifo")).isFIFO()).toBe(true);
  });

  test("a device is a device: a root engine keeps what the image has, as Docker does", () => {
    const layer = one({ path: "dev/null", type: "char", major: 1, minor: 3, mode: 0o666 });
    const stats = lstatSync(join(layer, "dev/null"));
    expect([stats.isCharacterDevice(), stats.rdev, stats.mode & 0o777]).toEqual([true, 0x103, 0o666]);
  });

  test("overlayfs's own attributes in a layer mean nothing", () => {
    const layer = one({
      path: "etc/",
      type: "directory",
      xattrs: { "trusted.overlay.redirect": "/../../etc", "trusted.overlay.opaque": "y" },
    });
    expect(getXattr(join(layer, "etc"), "trusted.overlay.redirect")).toBeUndefined();
    expect(isOpaque(Buffer.from(join(layer, "etc")))).toBe(false);
  });

  test("a later member replaces an earlier one, of whatever kind", () => {
    const layer = one(
      "a/",
      "a/deep/",
      "a/deep/file",
      { path: "a", content: "file now" },
      { path: "b", content: "old" },
      "b/",
      "b/in",
      symlink("c", secret),
      { path: "c", content: "new" },
    );
    expect(readFileSync(join(layer, "a"), "utf8")).toBe("file now");
    expect(readdirSync(join(layer, "b"))).toEqual(["in"]);
    expect(readFileSync(join(layer, "c"), "utf8")).toBe("new");
    expect(readFileSync(secret, "utf8")).toBe("untouched");
  });

  test("names that are no UTF-8 are kept byte by byte", () => {
    const layer = one("caf\xe9");
    expect(readdirSync(layer, "buffer").map(name => name.toString("latin1"))).toEqual(["caf\xe9"]);
  });
});

describe("nothing leads out of the layer", () => {
  test.each([["../escape"], ["a/../../escape"], ["a/.."]])("the member %s is refused", path => {
    expect(() => one(path)).toThrow(expect.objectContaining({ code: "invalid" }));
    expect(existsSync(join(dir, "escape"))).toBe(false);
  });

  test("an absolute member lies in the layer", () => {
    const layer = one({ path: `/${secret}`, content: "in the layer" });
    expect(readFileSync(secret, "utf8")).toBe("untouched");
    expect(readFileSync(join(layer, secret), "utf8")).toBe("in the layer");
  });

  test("a link to the outside resolves to the inside, as in a chroot", () => {
    const outside = join(dir, "outside");
    mkdirSync(outside);
    const attempts = [symlink("out", outside), { path: "out/file", content: "x" }];
    expect(() => one(...attempts)).toThrow(/leads to nothing in the layer/);
    const [layer] = unpack(
      tarOf(
        `${outside.slice(1)}/`,
        "d/",
        symlink("d/up", "../../../../../.."),
        symlink("out", outside),
        { path: "out/file", content: "x" },
        "d/up/top",
      ),
    );
    expect(readdirSync(outside)).toEqual([]);
    expect(existsSync(join(layer!, outside, "file"))).toBe(true);
    expect(existsSync(join(layer!, "top"))).toBe(true);
  });

  test("a link of a lower layer is not followed", () => {
    const outside = join(dir, "outside");
    mkdirSync(outside);
    const [, upper] = unpack(
      tarOf(symlink("etc", outside)),
      tarOf({ path: "etc/passwd", content: "x" }, "etc/.wh.gone"),
    );
    expect(readdirSync(outside)).toEqual([]);
    expect(readFileSync(join(upper!, "etc/passwd"), "utf8")).toBe("x");
  });

  test("a hard link reaches nothing outside", () => {
    for (const link of ["../secret", secret, "missing"]) {
      expect(() => one({ path: "stolen", type: "hardlink", link })).toThrow(
        expect.objectContaining({ code: "invalid" }),
      );
    }
    expect(() => one(symlink("out", dir), { path: "stolen", type: "hardlink", link: "out/secret" })).toThrow(
      /hard link/,
    );
    expect(statSync(secret).nlink).toBe(1);
  });

  test("links that go round are refused", () => {
    expect(() => one(symlink("a", "b"), symlink("b", "a"), "a/file")).toThrow(
      expect.objectContaining({ code: "invalid" }),
    );
  });

  test("the device that means deleted to overlayfs is refused", () => {
    expect(() => one({ path: "etc", type: "char" })).toThrow(/device 0:0/);
  });
});

describe("whiteouts hold for lower layers, in any order", () => {
  const base = tarOf("a/", "a/one", "a/two", "b", "c/", "c/x");

  test.each([
    ["before", ["a/.wh..wh..opq", "a/three", ".wh.b", ".wh.c", "c/", "c/y"]],
    ["after", ["a/three", "c/", "c/y", "a/.wh..wh..opq", ".wh.b", ".wh.c"]],
  ])("%s what replaces them", (_, members) => {
    const [, upper] = unpack(base, tarOf(...members));
    expect(isOpaque(Buffer.from(join(upper!, "a")))).toBe(true);
    expect(existsSync(join(upper!, "a/three"))).toBe(true);
    expect(whiteoutAt(join(upper!, "b"))).toBe(true);
    // Deleted and made again: it stands alone.
    expect(isOpaque(Buffer.from(join(upper!, "c")))).toBe(true);
    expect(readdirSync(join(upper!, "c"))).toEqual(["y"]);
  });

  test("those of nothing leave nothing behind", () => {
    const [, upper] = unpack(
      base,
      tarOf(".wh.nothing", "no/where/.wh.file", "new/", "new/.wh..wh..opq", "b/.wh.below-a-file"),
    );
    expect(readdirSync(upper!)).toEqual(["new"]);
    expect(isOpaque(Buffer.from(join(upper!, "new")))).toBe(false);
  });

  test("what a middle layer has deleted is not there for the next", () => {
    const [, , top] = unpack(base, tarOf(".wh.a"), tarOf("a/.wh.one", ".wh.b"));
    expect(existsSync(join(top!, "a"))).toBe(false);
    expect(whiteoutAt(join(top!, "b"))).toBe(true);
  });

  test("a directory only passed through looks as it does below", () => {
    const sticky = tarOf({
      path: "tmp/",
      type: "directory",
      mode: 0o1777,
      uid: 3,
      mtime: { seconds: 5000, nanoseconds: 0 },
    });
    const [, upper] = unpack(sticky, tarOf("tmp/file"));
    const stats = statSync(join(upper!, "tmp"));
    expect([stats.mode & 0o7777, stats.uid, stats.mtimeMs]).toEqual([0o1777, 3, 5_000_000]);
  });
});

describe("bounds", () => {
  const within = (limits: Partial<LayerLimits>, tar: Buffer) => () => {
    const layer = join(dir, "bounded");
    mkdirSync(layer, { recursive: true });
    using extraction = new LayerExtraction(layer, new LayerBounds({ ...defaultLayerLimits, ...limits }));
    extraction.push(tar);
  };

  test("too many members, too many bytes, a sparse giant, too high a ratio", () => {
    expect(within({ entries: 2 }, tarOf("a", "b", "c"))).toThrow(/more than 2 members/);
    expect(within({ unpacked_bytes: 10_000 }, tarOf({ path: "a", content: Buffer.alloc(20_000) }))).toThrow(
      /more than 10000 bytes/,
    );
    expect(within({ ratioFrom_bytes: 1000, ratio: 5 }, tarOf({ path: "a", content: Buffer.alloc(20_000) }))).toThrow(
      /more than 5 times/,
    );
    execFileSync("truncate", ["-s", "1T", join(dir, "giant")]);
    const giant = execFileSync("tar", ["-C", dir, "--sparse", "-cf", "-", "giant"], { maxBuffer: 1 << 20 });
    expect(within({}, giant)).toThrow(/more than 274877906944 bytes/);
  });
});
