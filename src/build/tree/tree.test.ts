import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseIgnoreFile } from "../match/ignore.ts";
import { FileDigests } from "./file-digests.ts";
import { gitSource } from "./git-url.ts";
import { diskView, resolveInRoot } from "./resolve.ts";
import { selectFiles } from "./select.ts";
import { walkTree } from "./walk.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "berth-tree-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function make(...paths: string[]) {
  for (const path of paths) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), path);
  }
}

describe("paths in a root", () => {
  test("links are followed inside and never out", () => {
    make("etc/passwd", "usr/lib/x");
    symlinkSync("/etc", join(root, "absolute"));
    symlinkSync("../../../etc", join(root, "usr/up"));
    symlinkSync("usr/lib", join(root, "lib"));
    const at = (path: string) => resolveInRoot(diskView(root), path).path;
    expect([at("/absolute/passwd"), at("usr/up/passwd"), at("/lib/x"), at("../../lib"), at("lib/../..")]).toEqual([
      ...["etc/passwd", "etc/passwd", "usr/lib/x", "usr/lib", ""],
    ]);
    expect(resolveInRoot(diskView(root), "lib", { keepLast: true }).path).toBe("lib");
    expect(resolveInRoot(diskView(root), "no/such/../x")).toEqual({ path: "no/x", stat: undefined });
  });

  test("a loop of links is an error", () => {
    symlinkSync("b", join(root, "a"));
    symlinkSync("a", join(root, "b"));
    expect(() => resolveInRoot(diskView(root), "a/x")).toThrow("too many symbolic links");
  });
});

describe("selection", () => {
  const tree = (ignore = "") => ({
    root,
    name: "the build context",
    rules: parseIgnoreFile(ignore),
    keepOwners: false,
  });

  test("a walk leaves out what is ignored and lists the parents of what is taken back", () => {
    make("a/keep/x", "a/drop", "b", "c/y");
    expect(walkTree(tree("a\n!a/keep\nc"), "").map(item => item.path)).toEqual(["a", "a/keep", "a/keep/x", "b"]);
  });

  test("an ignored source is not there, and the hint says why", () => {
    make("secret");
    expect(() => selectFiles(tree("secret"), "secret")).toThrow(
      expect.objectContaining({ code: "not_found", hint: expect.stringContaining(".dockerignore") }),
    );
  });

  test("wildcards of several levels, and ** with --parents", () => {
    make("a/one.c", "a/b/two.c", "d/three.c", "d/x.h");
    expect(selectFiles(tree(), "*/*.c").map(found => found.name)).toEqual(["one.c", "three.c"]);
    expect(selectFiles(tree(), "**/*.c", { parents: true }).map(found => found.name)).toEqual([
      "a/b/two.c",
      "a/one.c",
      "d/three.c",
    ]);
  });
});

describe("digests of files", () => {
  test("an unchanged file is not read again; one that may still change is not remembered", () => {
    make("f");
    const path = join(root, "f");
    const first = new FileDigests(() => statSync(path).ctimeMs + 10_000);
    const digest = first.digest(path, statSync(path));
    const stored = first.toStore()!;
    expect(stored).toContain(digest);
    const again = new FileDigests(() => 0, stored.replace(digest, "0".repeat(64)));
    expect(again.digest(path, statSync(path))).toBe("0".repeat(64));
    utimesSync(path, 1, 1);
    expect(again.digest(path, statSync(path))).toBe(digest);
    const racy = new FileDigests(() => statSync(path).ctimeMs + 50);
    racy.digest(path, statSync(path));
    expect(racy.toStore()).toBeUndefined();
  });

  test("a damaged store is an empty one", () => {
    make("f");
    expect(new FileDigests(() => 0, "{").digest(join(root, "f"), statSync(join(root, "f")))).toHaveLength(64);
  });
});

test.each([
  [
    "https://github.com/a/b.git#main:docs",
    { url: "https://github.com/a/b.git", reference: "main", subdirectory: "docs" },
  ],
  ["git@host.example:a/b.git", { url: "git@host.example:a/b.git", reference: undefined, subdirectory: "" }],
  ["github.com/a/b", { url: "https://github.com/a/b.git", reference: undefined, subdirectory: "" }],
  ["git://host/x#:sub", { url: "git://host/x", reference: undefined, subdirectory: "sub" }],
  ["https://host/file.tar", undefined],
  ["dir/sub", undefined],
])("repository in %s", (text, source) => {
  expect(gitSource(text)).toEqual(source);
});
