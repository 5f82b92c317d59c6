import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuildFixture } from "./build-fixture.ts";

let fixture: BuildFixture;
beforeAll(async () => {
  fixture = await BuildFixture.make();
  fixture.write({
    "a.txt": "a",
    "b.txt": "b",
    "d/one": "1",
    "d/sub/two": "2",
    "d/sub/skip.log": "no",
    "x/y/z/deep.txt": "z",
  });
  symlinkSync("one", join(fixture.context, "d/link"));
  symlinkSync("d", join(fixture.context, "dirlink"));
  symlinkSync("/etc/shadow", join(fixture.context, "outside"));
  chmodSync(join(fixture.context, "d/sub"), 0o750);
  chmodSync(join(fixture.context, "b.txt"), 0o600);
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
});

async function added(lines: string, base = "busybox"): Promise<Record<string, string>> {
  await fixture.build(`FROM ${base}\n${lines}\n`, { tags: ["copy"] });
  return base === "scratch" ? Object.fromEntries(await fixture.files("copy")) : fixture.added("copy");
}

const file = (text: string, mode = "644", owner = "0:0") => `file ${mode} ${owner} ${JSON.stringify(text)}`;
const directory = (mode = "755", owner = "0:0") => `directory ${mode} ${owner}`;

describe("where things go", () => {
  test("a file gets the destination's name, or goes into it where it ends in a slash or is a directory", async () => {
    expect(
      await added("COPY a.txt /n\nCOPY a.txt /new/dir/\nCOPY a.txt /home\nWORKDIR /var\nCOPY a.txt rel/n"),
    ).toEqual({
      "/n": file("a"),
      "/new": directory(),
      "/new/dir": directory(),
      "/new/dir/a.txt": file("a"),
      "/home/a.txt": file("a"),
      "/var/rel": directory(),
      "/var/rel/n": file("a"),
    });
  });

  test("a directory gives its contents: modes are kept, links stay links, owners become root", async () => {
    expect(await added("COPY d /t\n", "scratch")).toEqual({
      "/t": directory(),
      "/t/one": file("1"),
      "/t/link": "symlink 777 0:0 one",
      "/t/sub": directory("750"),
      "/t/sub/two": file("2"),
      "/t/sub/skip.log": file("no"),
    });
  });

  test("a source that is a link is followed, inside the context only", async () => {
    expect(Object.keys(await added("COPY dirlink /t\nCOPY d/link /l", "scratch"))).toEqual([
      "/l",
      "/t",
      "/t/link",
      "/t/one",
      "/t/sub",
      "/t/sub/skip.log",
      "/t/sub/two",
    ]);
    await expect(added("COPY outside /x")).rejects.toThrow("outside is not in the build context");
    expect(await added("COPY ../../a.txt /x", "scratch")).toEqual({ "/x": file("a") });
  });

  test("wildcards follow Go's filepath.Match; several matches need a directory", async () => {
    expect(await added("COPY *.txt nothing* /t/", "scratch")).toEqual({
      "/t": directory(),
      "/t/a.txt": file("a"),
      "/t/b.txt": file("b", "600"),
    });
    await expect(added("COPY *.txt /t")).rejects.toThrow("the destination /t must be a directory");
  });

  test("links of the image are followed, and never out of it", async () => {
    const base =
      "RUN mkdir -p /usr/lib && ln -s usr/lib /lib && ln -s /../../../etc /out && ln -s /nowhere /dangling\n";
    expect(
      await added(`${base}COPY d/one /lib/one\nCOPY d/one /out/\nCOPY d/sub/ /lib/\nCOPY d/one /dangling`),
    ).toMatchObject({
      "/lib": "symlink 777 0:0 usr/lib",
      "/usr/lib/one": file("1"),
      "/usr/lib/two": file("2"),
      "/etc/one": file("1"),
      "/dangling": file("1"),
    });
  });

  test("parents that exist keep owner and mode", async () => {
    const made = await added("COPY a.txt /tmp/a\nCOPY --link b.txt /tmp/b");
    expect(made).toEqual({ "/tmp/a": file("a"), "/tmp/b": file("b", "600") });
  });

  test("says what cannot be", async () => {
    await expect(added("COPY nope /x")).rejects.toThrow("Dockerfile:2: COPY nope /x: nope is not in the build context");
    await expect(added("COPY a.txt /etc/passwd/x")).rejects.toThrow("/etc/passwd must be a directory");
    await expect(added("COPY d /etc/passwd")).rejects.toThrow("/etc/passwd must be a directory");
    await expect(added("RUN mkdir -p /t/one\nCOPY d /t")).rejects.toThrow("/t/one is a directory in the image");
  });
});

describe("flags", () => {
  test("--chown takes names of the image and numbers, --chmod octal and symbolic modes", async () => {
    const text = ["COPY --chown=web:staff --chmod=u=rwX,go=rX d/ /o/", "COPY --chown=5 --chmod=0640 a.txt /n"].join(
      "\n",
    );
    expect(await added(text)).toMatchObject({
      "/o": directory("755", "1000:50"),
      "/o/sub": directory("755", "1000:50"),
      "/o/sub/two": file("2", "644", "1000:50"),
      "/n": file("a", "640", "5:5"),
    });
    await expect(added("COPY --chown=nobodyhere a.txt /x")).rejects.toThrow(
      "the user 'nobodyhere' is not in /etc/passwd",
    );
  });

  test("--exclude and --parents", async () => {
    expect(Object.keys(await added("COPY --exclude=**/*.log --exclude=one d /t", "scratch"))).toEqual([
      "/t",
      "/t/link",
      "/t/sub",
      "/t/sub/two",
    ]);
    expect(Object.keys(await added("COPY --parents x/y/z/deep.txt d/sub /p/", "scratch"))).toEqual([
      ...[
        "/p",
        "/p/d",
        "/p/d/sub",
        "/p/d/sub/skip.log",
        "/p/d/sub/two",
        "/p/x",
        "/p/x/y",
        "/p/x/y/z",
        "/p/x/y/z/deep.txt",
      ],
    ]);
    expect(Object.keys(await added("COPY --parents x/./y/**/*.txt /p/", "scratch"))).toEqual([
      "/p",
      "/p/y",
      "/p/y/z",
      "/p/y/z/deep.txt",
    ]);
  });

  test("--from a stage keeps owners, modes and hard links; --from an image; a number", async () => {
    const { steps } = await fixture.build(
      [
        "FROM busybox AS made",
        "RUN mkdir /m && echo 1 > /m/f && ln /m/f /m/g && chown 5:6 /m/f && chmod 4711 /m/f && mkfifo /m/p 2>/dev/null || mknod /m/p p",
        "FROM scratch",
        "COPY --from=made /m /c",
        "COPY --from=busybox /etc/group /",
        "COPY --from=0 /m/f /n",
      ].join("\n"),
      { tags: ["from"] },
    );
    expect(steps).toBe(4);
    expect(Object.fromEntries(await fixture.files("from"))).toEqual({
      "/c": directory(),
      "/c/f": file("1\n", "4711", "5:6"),
      "/c/g": "hardlink 4711 5:6 c/f",
      "/c/p": "fifo 644 0:0",
      "/group": expect.stringContaining("root"),
      "/n": file("1\n", "4711", "5:6"),
    });
  });

  test("inline files, with variables and without", async () => {
    expect(
      await added(
        "ARG who=me\nCOPY <<one <<'two' /t/\nhi $who\none\nhi $who\ntwo\nCOPY --chmod=755 <<EOF /run.sh\n#!/bin/sh\nEOF",
        "scratch",
      ),
    ).toEqual({
      "/run.sh": file("#!/bin/sh\n", "755"),
      "/t": directory(),
      "/t/one": file("hi me\n"),
      "/t/two": file("hi $who\n"),
    });
  });
});

describe("ADD", () => {
  test.each([
    ["plain", "tar", "-cf"],
    ["gzip", "tar.gz", "-czf"],
    ["zstd", "tar.zst", "--zstd -cf"],
    ["xz", "tar.xz", "-cJf"],
    ["bzip2", "tar.bz2", "-cjf"],
  ])("unpacks a local archive (%s) with its owners", async (_, suffix, flags) => {
    const from = join(fixture.base, `archive-${suffix}`);
    mkdirSync(join(from, "in"), { recursive: true });
    fixture.write({ "in/f": "packed" }, from);
    linkSync(join(from, "in/f"), join(from, "in/g"));
    execFileSync("tar", [
      "--owner=7",
      "--group=8",
      "-C",
      from,
      ...flags.split(" "),
      join(fixture.context, `x.${suffix}`),
      "in",
    ]);
    const made = await added(`ADD x.${suffix} /u/`, "scratch");
    expect(made).toEqual({
      "/u": directory(),
      "/u/in": directory("755", "7:8"),
      "/u/in/f": file("packed", "644", "7:8"),
      "/u/in/g": "hardlink 644 7:8 u/in/f",
    });
  });

  test("keeps what is no archive, and archives when told to", async () => {
    execFileSync("gzip", ["-kf", join(fixture.context, "a.txt")]);
    expect(Object.keys(await added("ADD a.txt.gz b.txt /u/\nADD --unpack=false x.tar /u/", "scratch"))).toEqual([
      "/u",
      "/u/a.txt.gz",
      "/u/b.txt",
      "/u/x.tar",
    ]);
  });

  test("refuses an archive that leads out", async () => {
    execFileSync("tar", [
      "-C",
      fixture.context,
      "-cPf",
      join(fixture.context, "evil.tar"),
      "--transform=s,^,../../,",
      "a.txt",
    ]);
    await expect(added("ADD evil.tar /")).rejects.toThrow('the name "../../a.txt" leads out of the archive');
  });
});
