import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { encodeEntry, tarEnd, tarPadding } from "./tar-encode.ts";
import { fromText, type TarEntry, type TarSink } from "./tar-entry.ts";
import { TarParser } from "./tar-parser.ts";

interface Seen {
  entry: TarEntry;
  content: Buffer;
}

/** Members with their whole content, holes as zeros. */
function parse(archive: Buffer, pieceSize = archive.length || 1): Seen[] {
  const seen: Seen[] = [];
  const sink: TarSink = {
    entry: entry => seen.push({ entry, content: Buffer.alloc(entry.size) }),
    data: (chunk, offset) => chunk.copy(seen.at(-1)!.content, offset),
    end: () => undefined,
  };
  const parser = new TarParser(sink);
  for (let at = 0; at < archive.length; at += pieceSize) parser.push(archive.subarray(at, at + pieceSize));
  parser.finish();
  return seen;
}

const entry = (some: Partial<TarEntry>): TarEntry => ({
  type: "file",
  path: "file",
  link: "",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
  major: 0,
  minor: 0,
  xattrs: new Map(),
  ...some,
});

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "berth-tar-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function gnuTar(...args: string[]): Buffer {
  execFileSync("tar", ["-C", dir, "-cf", join(dir, "..tar"), ...args]);
  return readFileSync(join(dir, "..tar"));
}

test("any entry that is written is read back the same, however the stream is cut", () => {
  const name = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
    .map(text => fromText(text.replace(/[/\0]/g, "_")));
  const path = fc.array(name, { minLength: 1, maxLength: 8 }).map(parts => parts.join("/"));
  const number = fc.nat({ max: 2 ** 31 });
  const entries = fc.record({
    path,
    mode: fc.nat({ max: 0o7777 }),
    uid: number,
    gid: number,
    content: fc.uint8Array({ maxLength: 2000 }),
    seconds: fc.integer({ min: -1000, max: 2 ** 36 }),
    xattr: fc.option(fc.uint8Array({ maxLength: 100 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 1500 }), ({ content, seconds, xattr, ...rest }, pieceSize) => {
      const xattrs = new Map(xattr === undefined ? [] : [["user.a", Buffer.from(xattr)]]);
      const wanted = entry({ ...rest, size: content.length, mtime: { seconds, nanoseconds: 0 }, xattrs });
      const archive = Buffer.concat([encodeEntry(wanted), content, tarPadding(content.length), tarEnd]);
      const [seen, ...more] = parse(archive, pieceSize);
      expect(more).toEqual([]);
      expect(seen!.entry).toEqual(wanted);
      expect(seen!.content.equals(content)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test("GNU tar reads what is written, long names and attributes included", () => {
  const long = `${"d".repeat(120)}/${"f".repeat(140)}`;
  const archive = Buffer.concat([
    encodeEntry(entry({ path: long })),
    encodeEntry(entry({ path: "l", type: "symlink", link: "x".repeat(150) })),
    tarEnd,
  ]);
  const listed = execFileSync("tar", ["-tf", "-"], { input: archive, encoding: "utf8" });
  expect(listed.split("\n")).toEqual([long, "l", ""]);
});

test.each(["gnu", "pax"])("long names and links of %s archives come whole", format => {
  const name = "n".repeat(200);
  writeFileSync(join(dir, name), "content");
  symlinkSync("t".repeat(300), join(dir, "link"));
  const seen = parse(gnuTar(`--format=${format}`, name, "link"));
  expect(seen.map(({ entry: { type, path, link } }) => [type, path, link])).toEqual([
    ["file", name, ""],
    ["symlink", "link", "t".repeat(300)],
  ]);
  expect(seen[0]!.content.toString()).toBe("content");
});

test.each([
  ["--format=gnu"],
  ["--format=pax", "--sparse-version=0.0"],
  ["--format=pax", "--sparse-version=0.1"],
  ["--format=pax", "--sparse-version=1.0"],
])("a sparse file has its holes and its data (%s %s)", (...format) => {
  const path = join(dir, "sparse");
  const data = Buffer.alloc(4096, "x");
  writeFileSync(path, "");
  truncateSync(path, 1 << 20);
  for (let at = 1; at < 12; at++)
    execFileSync("dd", ["of=" + path, "conv=notrunc", "bs=4096", `seek=${at * 10}`, "status=none"], { input: data });
  const archive = gnuTar("--sparse", ...format, "sparse");
  expect(archive.length).toBeLessThan(100_000);
  const [seen] = parse(archive, 700);
  expect(seen!.entry).toMatchObject({ path: "sparse", size: 1 << 20 });
  expect(seen!.content.equals(readFileSync(path))).toBe(true);
});

test("an archive cut inside a member is corrupt, one without its last zeros is not", () => {
  const archive = Buffer.concat([encodeEntry(entry({ size: 1000 })), Buffer.alloc(1024)]);
  expect(parse(archive)).toHaveLength(1);
  for (const cut of [100, 600, 1100, 1535]) expect(() => parse(archive.subarray(0, cut))).toThrow(/middle of a member/);
});

test("a damaged header is found by its checksum", () => {
  const archive = Buffer.concat([encodeEntry(entry({})), tarEnd]);
  archive[3]! ^= 1;
  expect(() => parse(archive)).toThrow(expect.objectContaining({ code: "corrupt" }));
});

test("noise never does worse than throwing a BerthError", () => {
  const header = encodeEntry(entry({ size: 512, xattrs: new Map([["user.a", Buffer.from("1")]]) }));
  const damaged = fc.tuple(fc.array(fc.tuple(fc.nat({ max: header.length - 1 }), fc.nat({ max: 255 }))), fc.boolean());
  fc.assert(
    fc.property(damaged, ([changes, isSummed]) => {
      const archive = Buffer.concat([header, Buffer.alloc(512), tarEnd]);
      for (const [at, value] of changes) archive[at] = value;
      if (isSummed) for (let at = 0; at + 512 <= header.length; at += 512) sumUp(archive.subarray(at, at + 512));
      try {
        parse(archive);
      } catch (thrown) {
        expect(thrown).toMatchObject({ name: "BerthError" });
      }
    }),
    { numRuns: 500 },
  );
});

function sumUp(block: Buffer): void {
  block.write("        ", 148, "latin1");
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
    "latin1",
  );
}
