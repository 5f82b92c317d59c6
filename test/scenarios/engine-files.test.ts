import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { extract, pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeHost, type TestHost } from "./harness.ts";

let host: TestHost;
let containers: TestHost["engine"]["containers"];
beforeAll(async () => {
  host = await makeHost();
  containers = host.engine.containers;
});
afterAll(() => host[Symbol.asyncDispose]());

async function names(tar: Readable): Promise<Map<string, string>> {
  const archive = extract();
  tar.pipe(archive);
  const found = new Map<string, string>();
  for await (const entry of archive) {
    let text = "";
    for await (const chunk of entry) text += String(chunk);
    found.set(entry.header.name, entry.header.type === "symlink" ? `-> ${entry.header.linkname}` : text);
  }
  return found;
}

function tarOf(...entries: [name: string, content: string | null, more?: object][]): Readable {
  const tar = pack();
  for (const [name, content, more] of entries) {
    if (content === null) tar.entry({ name, type: "directory", mode: 0o750, ...more });
    else tar.entry({ name, mode: 0o640, uid: 1000, gid: 1000, ...more }, content);
  }
  tar.finalize();
  return tar as unknown as Readable;
}

describe.each(["running", "stopped"])("files of a %s container", state => {
  let id: string;
  beforeAll(async () => {
    id = await host.start({
      command: [
        "sh",
        "-c",
        "mkdir /d; echo one > /d/a; ln -s a /d/link; ln -s /etc/passwd /d/out; ln -s / /d/up; sleep 1000",
      ],
      mounts: [{ type: "volume", source: `vol-${state}`, target: "/vol" }],
    });
    await host.exec(id, "sh", "-c", "until [ -L /d/up ]; do sleep 0.01; done; echo kept > /vol/file");
    if (state === "stopped") await containers.stop(id, { timeout_ms: 0 });
  });
  afterAll(() => containers.remove(id, { force: true }));

  test("are read as a tar named by the last element, links as links", async () => {
    const { stat, tar } = await containers.readArchive(id, "/d");
    expect(stat.name).toBe("d");
    expect(Object.fromEntries(await names(tar))).toEqual({
      "d/": "",
      "d/a": "one\n",
      "d/link": "-> a",
      "d/out": "-> /etc/passwd",
      "d/up": "-> /",
    });
    await expect(containers.readArchive(id, "/none")).rejects.toMatchObject({ code: "not_found" });
  });

  test("links lead through the container's root and never out of it", async () => {
    const { tar } = await containers.readArchive(id, "/d/up/d/up/etc/hostname");
    expect([...(await names(tar)).keys()]).toEqual(["hostname"]);
    const passwd = await names((await containers.readArchive(id, "/d/up/etc/passwd")).tar);
    expect(passwd.get("passwd")).not.toBe(readFileSync("/etc/passwd", "utf8"));
    const stat = await containers.statPath(id, "/d/out");
    expect(stat).toMatchObject({ name: "out", linkTarget: "/etc/passwd" });
    await containers.writeArchive(id, "/d/up/d/up/tmp", tarOf(["planted", "x"]));
    expect((await containers.statPath(id, "/tmp/planted")).size).toBe(1);
  });

  test("are written with owners and modes, and nothing leaves the directory", async () => {
    await containers.writeArchive(id, "/d", tarOf(["sub/", null], ["sub/new", "two", { mode: 0o4755 }]));
    const stat = await containers.statPath(id, "/d/sub/new");
    expect(stat.size).toBe(3);
    expect(stat.mode & 0o777).toBe(0o755);
    expect(stat.mode & (2 ** 23)).not.toBe(0);
    await expect(containers.writeArchive(id, "/d", tarOf(["../../escape", "x"]))).rejects.toMatchObject({
      code: "invalid",
    });
    await expect(containers.writeArchive(id, "/missing", tarOf(["a", "x"]))).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(
      containers.writeArchive(id, "/d", tarOf(["a/", null]), { noOverwriteDirNonDir: true }),
    ).rejects.toMatchObject({ code: "invalid" });
  });

  test("volumes are seen at their targets", async () => {
    const { tar } = await containers.readArchive(id, "/vol/file");
    expect((await names(tar)).get("file")).toBe("kept\n");
    await containers.writeArchive(id, "/vol", tarOf(["more", "yes"]));
    expect((await containers.statPath(id, "/vol/more")).size).toBe(3);
  });
});

describe("images from containers", () => {
  test("changes are told apart, and what the engine mounts is none", async () => {
    const { id } = await host.run({
      command: ["sh", "-c", "echo x > /new; rm /bin/wc; echo more >> /etc/group; mkdir /var/data/deep"],
      mounts: [{ type: "volume", source: "", target: "/mnt/vol" }],
    });
    const changes = (await containers.changes(id)).map(({ kind, path }) => `${kind[0]} ${path}`);
    expect(changes).toContain("a /new");
    expect(changes).toContain("d /bin/wc");
    expect(changes).toContain("m /etc/group");
    expect(changes).toContain("a /var/data/deep");
    expect(changes.filter(line => /hosts|hostname|resolv|mnt|proc|sys/.test(line))).toEqual([]);
  });

  test("commit makes an image with the changes and new configuration, that runs", async () => {
    const id = await host.start({
      command: ["sh", "-c", "echo baked > /cake; sleep 1000"],
      labels: { made: "by hand" },
    });
    await host.exec(id, "sh", "-c", "until [ -s /cake ]; do sleep 0.01; done");
    const image = await containers.commit(id, {
      tag: "cake:1",
      message: "baked",
      changes: ['CMD ["cat", "/cake"]', "ENV ICING=sugar", "EXPOSE 81", "LABEL sweet=yes"],
    });
    expect(image.config.config).toMatchObject({
      Cmd: ["cat", "/cake"],
      ExposedPorts: { "81/tcp": {} },
      Labels: { made: "by hand", sweet: "yes" },
    });
    expect((await containers.inspect(id)).state.status).toBe("running");
    expect((await host.run({ image: "cake:1" })).output).toBe("baked\n");
    await expect(containers.commit(id, { changes: ["RUN true"] })).rejects.toMatchObject({ code: "invalid" });
    await containers.remove(id, { force: true });
  });

  test("export gives the whole root", async () => {
    const { id } = await host.run({ command: ["sh", "-c", "echo x > /exported"] });
    const found = await names(await containers.export(id));
    expect(found.get("exported")).toBe("x\n");
    expect(found.has("bin/busybox")).toBe(true);
  });
});

describe("volumes", () => {
  test("an empty volume gets what the image has there, once, also from a container that never runs", async () => {
    const made = await host.create({ mounts: [{ type: "volume", source: "data", target: "/var/data" }] });
    expect((await host.run({ volumesFrom: [made], command: ["cat", "/var/data/from-image"] })).output).toBe("kept\n");
    const empty = { type: "volume" as const, source: "none", target: "/var/data", noCopy: true };
    expect((await host.run({ mounts: [empty], command: ["ls", "/var/data"] })).output).toBe("");
    await expect(host.engine.volumes.remove("data")).rejects.toMatchObject({ code: "in_use" });
    expect(await host.engine.volumes.users("data")).toHaveLength(2);
  });

  test("anonymous volumes go with the container if asked; named ones stay", async () => {
    const { id } = await host.run({
      command: ["true"],
      mounts: [
        { type: "volume", source: "named", target: "/a" },
        { type: "volume", source: "", target: "/b" },
      ],
    });
    const anonymous = (await containers.inspect(id)).mounts.find(mount => mount.target === "/b")!.name;
    await containers.remove(id, { volumes: true });
    const left = (await host.engine.volumes.list()).map(({ name }) => name);
    expect(left).toContain("named");
    expect(left).not.toContain(anonymous);
    expect((await host.engine.volumes.list({ filters: { dangling: ["true"] } })).map(({ name }) => name)).toContain(
      "named",
    );
    expect((await host.engine.volumes.prune({ filters: { all: ["true"] } })).removed).toContain("named");
  });

  test("binds, tmpfs, subpaths and images are mounted as asked", async () => {
    const source = host.settings.root;
    const { output } = await host.run({
      command: [
        "sh",
        "-c",
        "ls -d /bind/overlay; touch /bind/x || echo ro; df /tmpfs | tail -1 | cut -c1-5; ls /image/bin/sh; touch /image/y || echo ro",
      ],
      mounts: [
        { type: "bind", source, target: "/bind", readOnly: true },
        { type: "tmpfs", target: "/tmpfs", size_bytes: 1024 ** 2 },
        { type: "image", source: "busybox", target: "/image" },
      ],
    });
    expect(output.split("\n").filter(line => !line.startsWith("touch"))).toEqual([
      "/bind/overlay",
      "ro",
      "tmpfs",
      "/image/bin/sh",
      "ro",
      "",
    ]);
    const missing = await host.create({ mounts: [{ type: "bind", source: "/no/such/place", target: "/x" }] });
    await expect(containers.start(missing)).rejects.toMatchObject({ code: "invalid" });
    await host.run({
      command: ["sh", "-c", "mkdir /v/sub; echo inner > /v/sub/file"],
      mounts: [{ type: "volume", source: "parts", target: "/v" }],
    });
    const part = { type: "volume" as const, source: "parts", target: "/p", subpath: "sub" };
    expect((await host.run({ mounts: [part], command: ["cat", "/p/file"] })).output).toBe("inner\n");
  });
});
