import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeProgramHost, type ProgramHost, type RunOptions, until } from "./program-host.ts";

const shop = `
x-berth:
  params:
    color: {type: string, default: blue, description: Color of the shop}
    token: {type: secret, default: hidden-token}
services:
  web:
    image: busybox
    init: true
    command: ["sh", "-c", "mkdir -p /srv; echo ready; exec httpd -f -p 80 -h /srv"]
    ports: ["80"]
    environment: {COLOR: "\${color}", TOKEN: "\${token}"}
    secrets: [pass]
    volumes: [data:/data]
    deploy: {replicas: 2}
    depends_on: {db: {condition: service_healthy}}
  db:
    image: busybox
    init: true
    command: ["sleep", "1000"]
    healthcheck: {test: "true", interval: 1s, start_interval: 100ms, start_period: 5s}
  once:
    image: busybox
    profiles: [tools]
    command: ["sh", "-c", "exit 7"]
volumes: {data: }
secrets:
  pass: {environment: PASS}
`;

describe("commands on apps", () => {
  let host: ProgramHost;
  let directory: string;
  beforeAll(async () => {
    host = await makeProgramHost();
    directory = join(mkdtempSync(join(tmpdir(), "berth-shop-")), "shop");
    mkdirSync(directory);
    writeFileSync(join(directory, "compose.yaml"), shop);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    rmSync(join(directory, ".."), { recursive: true, force: true });
  });

  const berth = (args: string[], options: RunOptions = {}) =>
    host.berth(args, { cwd: directory, env: { PASS: "geheim" }, ...options });
  const output = async (...args: string[]) => (await berth(args)).stdout;

  it("run: brings up what the service needs, with its secrets and volumes, and leaves nothing", async () => {
    const command = "cat /run/secrets/pass; echo; echo $COLOR $MORE; echo kept > /data/kept";
    const { stdout } = await berth(["app", "run", "--rm", "-T", "-q", "-e", "MORE=1", "web", "sh", "-c", command]);
    expect(stdout).toBe("geheim\nblue 1\n");
    expect(await output("ps", "-a", "--format", "{{.Names}}")).toBe("shop-db-1\n");
    const failed = await berth(["app", "run", "--rm", "-T", "-q", "--no-deps", "once"], { mayFail: true });
    expect(failed.code).toBe(7);
    expect(await berth(["app", "run", "--rm", "-T", "--no-deps", "web", "cat"], { input: "typed" })).toMatchObject({
      stdout: "typed",
    });
  });

  it("exec, cp, port, top, images, volumes and logs find a service's tasks", async () => {
    await berth(["compose", "up", "-d"]);
    expect(await output("app", "exec", "-T", "--index", "2", "web", "hostname")).not.toBe("");
    const wrong = await berth(["app", "exec", "-T", "--index", "3", "web", "true"], { mayFail: true });
    expect(wrong.stderr).toContain("--index takes 1, 2");
    expect((await berth(["app", "exec", "-T", "web", "sh", "-c", "exit 9"], { mayFail: true })).code).toBe(9);
    writeFileSync(join(directory, "page"), "copied\n");
    await berth(["app", "cp", "--all", "page", "web:/srv/page"]);
    for (const index of ["1", "2"])
      expect(await output("app", "exec", "-T", "--index", index, "web", "cat", "/srv/page")).toBe("copied\n");
    await berth(["app", "cp", "web:/srv/page", "back"]);
    expect(readFileSync(join(directory, "back"), "utf8")).toBe("copied\n");
    const address = (await output("app", "port", "web", "80")).trim().replace("0.0.0.0", "127.0.0.1");
    await until("the page", async () => (await fetch(`http://${address}/page`).catch(() => undefined))?.ok);
    expect(await output("app", "top", "web")).toMatch(/shop-web-1\n.*httpd.*shop-web-2\n/s);
    expect(await output("app", "images", "-q", "db")).toMatch(/^[0-9a-f]{12}\n$/);
    expect(await output("app", "volumes", "-q")).toBe("shop_data\n");
    expect(await output("app", "logs", "--no-color", "web")).toMatch(/shop-web-1 +\| ready/);
    expect(await output("app", "stats", "--no-stream", "--format", "{{.Name}}", "db")).toBe("shop-db-1\n");
    expect(await output("app", "exec", "-T", "web", "cat", "/data/kept")).toBe("kept\n");
  });

  it("parameters are listed, and answers keep secrets out unless told", async () => {
    expect(await output("params")).toMatch(/color\s+string\s+blue\s+default\s+Color of the shop/);
    expect(await output("params")).not.toContain("hidden-token");
    expect(await output("answers")).not.toContain("hidden-token");
    const answers = await output("answers", "--set", "color=red", "--with-secrets");
    expect(answers).toContain("hidden-token");
    writeFileSync(join(directory, "prod.answers"), answers);
    expect(await output("config", "--answers", "prod.answers")).toContain("COLOR: red");
  });

  it("wait, events and pause see what happens", async () => {
    const events = host.begin(["app", "events"], { cwd: directory, env: { PASS: "geheim" } });
    const waiting = host.begin(["app", "wait", "db"], { cwd: directory, env: { PASS: "geheim" } });
    await until("the task's event", async () => {
      await berth(["app", "restart", "web"]);
      return events.output().includes("shop-web-1 running");
    });
    await berth(["app", "stop", "db"]);
    expect(await waiting.finished).toMatchObject({ stdout: expect.stringMatching(/shop-db-1 exited with code \d+/) });
    events.child.kill("SIGINT");
    await events.finished;
    await berth(["app", "start", "db"]);
  });

  it("external secrets: made, granted, listed and removed", async () => {
    const file = join(directory, "external.yaml");
    writeFileSync(
      file,
      "name: ext\nservices:\n  a: {image: busybox, command: [sleep, '100'], init: true, secrets: [key]}\nsecrets:\n  key: {external: true}\n",
    );
    const missing = await berth(["-f", file, "up", "-d"], { mayFail: true });
    expect(missing.stderr).toContain("berth secret create key FILE");
    await berth(["secret", "create", "key", "-"], { input: "from outside" });
    await berth(["-f", file, "up", "-d"]);
    expect(await output("-f", file, "app", "exec", "-T", "a", "cat", "/run/secrets/key")).toBe("from outside");
    expect(await output("secret", "ls", "-q")).toBe("key\n");
    await berth(["-f", file, "down"]);
    await berth(["secret", "rm", "key"]);
    expect(await output("secret", "ls", "-q")).toBe("");
  });

  it("backup and restore: an app that was taken down since comes back", async () => {
    const backup = join(directory, "state.db");
    await berth(["system", "backup", backup]);
    await berth(["down", "-t", "1"]);
    expect(await output("ls", "-q")).not.toContain("shop");
    const { stderr } = await berth(["system", "restore", "--force", backup]);
    expect(stderr).toContain("before-restore");
    expect(await output("ls", "-q")).toContain("shop");
    await berth(["up", "-d"]);
    const rows = await output("app", "ps", "--format", "{{.Name}} {{.State}}");
    expect(rows).toBe("shop-db-1 running\nshop-web-1 running\nshop-web-2 running\n");
    expect(await output("app", "exec", "-T", "web", "cat", "/run/secrets/pass")).toBe("geheim");
  });

  it("a damaged store is refused with the way to restore, and containers go on", async () => {
    const backup = join(directory, "before-damage.db");
    await berth(["system", "backup", backup]);
    await host.killBerthd();
    const path = join(host.root, "store/berth.db");
    for (const tail of ["-wal", "-shm"]) rmSync(path + tail, { force: true });
    writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 4096), Buffer.alloc(4096, 0x5a)]));
    const refused = await berth(["ls"], { mayFail: true });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("system restore");
    expect((await output("ps", "-q")).trim().split("\n")).toHaveLength(3);
    await berth(["system", "restore", "--force", backup]);
    expect(await output("ls", "-q")).toContain("shop");
    await berth(["down", "-v", "-t", "1"]);
  });
});
