import { execFileSync } from "node:child_process";
import { createReadStream, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BuildContext } from "../../src/ports/build.ts";
import { BuildFixture } from "./build-fixture.ts";

let fixture: BuildFixture;
let server: Server;
let base: string;
const served = new Map<string, { data: Buffer; headers?: Record<string, string> }>();

beforeAll(async () => {
  fixture = await BuildFixture.make();
  server = createServer((request, response) => {
    const found = served.get(request.url ?? "");
    if (request.url === "/moved") response.writeHead(302, { location: "/file.txt" }).end();
    else if (!found) response.writeHead(404).end();
    else response.writeHead(200, found.headers).end(found.data);
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await fixture[Symbol.asyncDispose]();
});

const git = (cwd: string, ...words: string[]) =>
  execFileSync(
    "git",
    [
      "-c",
      "user.name=t",
      "-c",
      "user.email=t@t",
      "-c",
      "init.defaultBranch=main",
      "-c",
      "protocol.file.allow=always",
      ...words,
    ],
    { cwd, encoding: "utf8" },
  ).trim();

function tarOf(files: Record<string, string>): Buffer {
  const root = join(fixture.base, `tar-${Object.keys(files).join("-").replaceAll("/", "_")}`);
  fixture.write(files, root);
  return execFileSync("tar", ["-C", root, "-c", "."], { maxBuffer: 1e8 });
}

async function buildIn(context: BuildContext, rest = {}) {
  await fixture.builder.build({ context, tags: ["ctx"], ...rest });
  return Object.fromEntries(await fixture.files("ctx"));
}

const files = {
  Dockerfile: "FROM scratch\nCOPY . /\n",
  ".dockerignore": "Dockerfile\n.dockerignore\nskip\n",
  keep: "k",
  "skip/x": "s",
};
const kept = { "/keep": 'file 644 0:0 "k"' };

test("a directory, with .dockerignore", async () => {
  const path = join(fixture.base, "plain");
  fixture.write(files, path);
  expect(await buildIn({ kind: "directory", path })).toEqual(kept);
});

test.each([
  ["plain", (data: Buffer) => data],
  ["gzip", gzipSync],
  ["zstd", zstdCompressSync],
])("a tar stream (%s)", async (_, compress) => {
  expect(await buildIn({ kind: "tar", stream: Readable.from([compress(tarOf(files))]) })).toEqual(kept);
});

test("a Dockerfile's own ignore file beats the general one; text from elsewhere uses the general one", async () => {
  const path = join(fixture.base, "own");
  fixture.write(
    { ...files, "docker/a.Dockerfile": "FROM scratch\nCOPY . /\n", "docker/a.Dockerfile.dockerignore": "*\n!skip\n" },
    path,
  );
  expect(
    Object.keys(await buildIn({ kind: "directory", path }, { dockerfile: { path: "docker/a.Dockerfile" } })),
  ).toEqual(["/skip", "/skip/x"]);
  expect(
    Object.keys(await buildIn({ kind: "directory", path }, { dockerfile: { text: "FROM scratch\nCOPY k* /\n" } })),
  ).toEqual(["/keep"]);
});

test("a URL of a tar, and of a lone Dockerfile", async () => {
  served.set("/ctx.tar.gz", { data: gzipSync(tarOf(files)) });
  served.set("/Dockerfile.txt", { data: Buffer.from("FROM scratch\nCOPY <<EOF /f\nx\nEOF\n") });
  expect(await buildIn({ kind: "url", url: `${base}/ctx.tar.gz` })).toEqual(kept);
  expect(await buildIn({ kind: "url", url: `${base}/Dockerfile.txt` })).toEqual({ "/f": 'file 644 0:0 "x\\n"' });
  await expect(buildIn({ kind: "url", url: `${base}/gone` })).rejects.toThrow("the server answered 404");
});

describe("git", () => {
  let repository: string;
  let first: string;
  beforeAll(() => {
    repository = join(fixture.base, "repo");
    fixture.write(
      {
        Dockerfile: "FROM scratch\nCOPY . /\n",
        "sub/Dockerfile": "FROM scratch\nCOPY v /\n",
        "sub/v": "1",
        ".dockerignore": "Dockerfile\n.*\n",
      },
      repository,
    );
    git(repository, "init", "-q");
    git(repository, "add", ".");
    git(repository, "commit", "-qm", "one");
    first = git(repository, "rev-parse", "HEAD");
    git(repository, "tag", "-a", "v1", "-m", "v1");
    git(repository, "checkout", "-qb", "next");
    writeFileSync(join(repository, "sub/v"), "2");
    git(repository, "commit", "-qam", "two");
    git(repository, "checkout", "-q", "main");
  });

  const at = (rest: string) => ({ kind: "url" as const, url: `file://${repository}${rest}` });

  test("a branch, a tag, a commit, a directory inside", async () => {
    expect(Object.keys(await buildIn(at("")))).toEqual(["/sub", "/sub/Dockerfile", "/sub/v"]);
    expect(await buildIn(at("#next:sub"))).toEqual({ "/v": 'file 644 0:0 "2"' });
    expect(await buildIn(at("#v1:sub"))).toEqual({ "/v": 'file 644 0:0 "1"' });
    expect(await buildIn(at(`#${first}:sub`))).toEqual({ "/v": 'file 644 0:0 "1"' });
    await expect(buildIn(at("#nope"))).rejects.toThrow("has no branch or tag nope");
  });

  test("ADD of a repository at a branch, with its history when asked", async () => {
    const text = `FROM scratch\nADD file://${repository}#next /r\nADD --keep-git-dir=true file://${repository}#v1 /g\n`;
    const found = await buildIn({ kind: "empty" }, { dockerfile: { text } });
    expect(found["/r/sub/v"]).toBe('file 644 0:0 "2"');
    expect(found["/g/sub/v"]).toBe('file 644 0:0 "1"');
    expect([found["/r/.git"], found["/g/.git"]]).toEqual([undefined, expect.stringContaining("directory")]);
  });
});

test("named contexts: a directory, an image, and one that stands for a stage's base", async () => {
  const path = join(fixture.base, "lib");
  fixture.write({ "l/a": "a", no: "n", ".dockerignore": "no\n.dockerignore\n" }, path);
  const contexts = {
    lib: { kind: "directory" as const, path },
    base: { kind: "image" as const, reference: "busybox" },
    root: { kind: "directory" as const, path },
  };
  const text =
    "FROM base AS b\nRUN --mount=from=lib,target=/m cat /m/l/a > /seen\nFROM root\nCOPY --from=lib l /l\nCOPY --from=b /seen /\n";
  expect(Object.keys(await buildIn({ kind: "empty" }, { contexts, dockerfile: { text } }))).toEqual([
    "/l",
    "/l/a",
    "/seen",
  ]);
});

describe("ADD of a URL", () => {
  beforeAll(() => {
    served.set("/file.txt", {
      data: Buffer.from("fetched"),
      headers: { "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT" },
    });
    served.set("/x.tar", { data: tarOf({ packed: "p" }) });
  });
  const sha = "sha256:5b3513f580c8397212ff2c8f459c199efc0c90e4354a5f3533adf0a3fff3a530";
  const build = (lines: string) => buildIn({ kind: "empty" }, { dockerfile: { text: `FROM scratch\n${lines}\n` } });

  test("gives the file the URL's name, mode 600, and unpacks only when told", async () => {
    expect(
      await build(
        `ADD ${base}/moved /d/\nADD --chmod=644 ${base}/file.txt /named\nADD ${base}/x.tar /\nADD --unpack ${base}/x.tar /u/`,
      ),
    ).toEqual({
      "/d": "directory 755 0:0",
      "/d/file.txt": 'file 600 0:0 "fetched"',
      "/named": 'file 644 0:0 "fetched"',
      "/u": "directory 755 0:0",
      "/u/packed": 'file 644 0:0 "p"',
      "/x.tar": expect.stringContaining("file 600"),
    });
  });

  test("checks the checksum", async () => {
    const { createHash } = await import("node:crypto");
    const right = `sha256:${createHash("sha256").update("fetched").digest("hex")}`;
    expect(Object.keys(await build(`ADD --checksum=${right} ${base}/file.txt /f`))).toEqual(["/f"]);
    await expect(build(`ADD --checksum=${sha} ${base}/file.txt /f`)).rejects.toThrow(`and ${sha} was wanted`);
  });
});

describe("bad contexts", () => {
  test.each([
    ["no tar", Buffer.from("nothing like a tar ".repeat(60)), "corrupt"],
    ["a tar cut short", () => tarOf(files).subarray(0, 700), "corrupt"],
    [
      "a name that leads out",
      () => execFileSync("tar", ["-C", fixture.base, "-cP", "--transform=s,^,../,", "plain/keep"]),
      "invalid",
    ],
  ])("%s", async (_, data, code) => {
    const stream = Readable.from([typeof data === "function" ? data() : data]);
    await expect(fixture.builder.build({ context: { kind: "tar", stream } })).rejects.toMatchObject({ code });
    expect(await fixture.leftovers()).toEqual([]);
  });

  test("a tar that writes through its own links", async () => {
    const root = join(fixture.base, "links");
    mkdirSync(join(root, "second/l"), { recursive: true });
    symlinkSync(fixture.base, join(root, "l"));
    writeFileSync(join(root, "second/l/owned"), "x");
    const path = join(fixture.base, "links.tar");
    execFileSync("tar", ["-C", root, "-cf", path, "l"]);
    execFileSync("tar", ["-C", join(root, "second"), "-rf", path, "l/owned"]);
    await expect(
      fixture.builder.build({ context: { kind: "tar", stream: createReadStream(path) } }),
    ).rejects.toMatchObject({ code: "invalid" });
    expect(() => readFileSync(join(fixture.base, "owned"))).toThrow();
  });

  test("a client that vanishes in the middle of its upload", async () => {
    const stream = new Readable({ read() {} });
    stream.push(tarOf(files).subarray(0, 600));
    const build = fixture.builder.build({ context: { kind: "tar", stream } });
    setImmediate(() => stream.destroy(new Error("gone")));
    await expect(build).rejects.toThrow("gone");
    expect(await fixture.leftovers()).toEqual([]);
  });

  test("no Dockerfile", async () => {
    await expect(buildIn({ kind: "empty" })).rejects.toThrow("the build context has no Dockerfile");
    await expect(buildIn({ kind: "directory", path: "/nonexistent" })).rejects.toMatchObject({ code: "not_found" });
  });
});
