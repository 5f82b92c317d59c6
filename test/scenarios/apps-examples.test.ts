import { createSocket } from "node:dgram";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeProgramHost, type ProgramHost, until } from "./program-host.ts";

const examples = join(import.meta.dirname, "../../examples");

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}

describe("examples", () => {
  let host: ProgramHost;
  let copies: string;
  beforeAll(async () => {
    host = await makeProgramHost();
    copies = mkdtempSync(join(tmpdir(), "berth-examples-"));
    cpSync(examples, copies, { recursive: true });
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    rmSync(copies, { recursive: true, force: true });
  });

  const at = (name: string, ...args: string[]) => host.berth(args, { cwd: join(copies, name) });
  const inside = async (name: string, service: string, ...args: string[]) =>
    (await at(name, "app", "exec", "-T", service, ...args)).stdout;
  const page = async (port: number, path = "/") =>
    await fetch(`http://127.0.0.1:${port}${path}`).then(
      answer => (answer.ok ? answer.text() : undefined),
      () => undefined,
    );

  it("networks: neighbours reach each other, and nobody else", async () => {
    await at("networks", "up", "-d");
    expect(await inside("networks", "front", "wget", "-qO-", "http://api/")).toBe("back\n");
    expect(await inside("networks", "back", "wget", "-qO-", "http://db/")).toBe("db\n");
    const refused = await host.berth(["app", "exec", "-T", "front", "wget", "-T", "2", "-qO-", "http://db/"], {
      cwd: join(copies, "networks"),
      mayFail: true,
    });
    expect(refused.code).not.toBe(0);
    await at("networks", "down");
  });

  it("nested: one app twice, each with its own parameters", async () => {
    expect((await at("nested", "params")).stdout).toMatch(/red\.start\s+int\s+100\s+parent/);
    await at("nested", "up", "-d", "--set", "blue.start=7");
    expect(await inside("nested", "sum", "wget", "-qO-", "http://red-web/")).toBe("110\n");
    expect(await inside("nested", "sum", "wget", "-qO-", "http://blue-web/")).toBe("17\n");
    await at("nested", "down");
  });

  it("nightly: the job ends before the server starts, and the clock starts the backup", async () => {
    await at("nightly", "up", "-d", "--set", "when=* * * * *");
    expect(await inside("nightly", "web", "cat", "/data/schema")).toMatch(/20\d\d/);
    const saved = await until(
      "a backup",
      async () => {
        const { stdout } = await at("nightly", "app", "logs", "--no-log-prefix", "backup");
        return stdout.includes("saved");
      },
      90_000,
    );
    expect(saved).toBe(true);
    await at("nightly", "down", "-v");
  });

  it("watch: pages, the start script and the Dockerfile are brought over as they change", async () => {
    const port = await freePort();
    const directory = join(copies, "watch");
    await using watching = (() => {
      const { child, finished, output } = host.begin(["watch", "--set", `port=${port}`], { cwd: directory });
      return {
        output,
        async [Symbol.asyncDispose]() {
          child.kill("SIGINT");
          await finished;
        },
      };
    })();
    await until("watching", async () => watching.output().includes("Watching "), 60_000);
    expect(await until("the page", () => page(port))).toContain("Change me");
    writeFileSync(join(directory, "site/new.html"), "fresh\n");
    expect(await until("the new page", () => page(port, "/new.html"))).toBe("fresh\n");
    rmSync(join(directory, "site/new.html"));
    await until("the page's end", async () => (await page(port, "/new.html")) === undefined);
    writeFileSync(join(directory, "start.sh"), "echo again > /srv/site/again.html\nexec httpd -f -p 80 -h /srv/site\n");
    expect(await until("the restart", () => page(port, "/again.html"))).toBe("again\n");
    writeFileSync(
      join(directory, "Dockerfile"),
      'FROM busybox\nCOPY site /srv/site\nRUN echo built > /srv/site/built.html\nCOPY start.sh /srv/start.sh\nCMD ["sh", "/srv/start.sh"]\n',
    );
    expect(await until("the new image", () => page(port, "/built.html"), 60_000)).toBe("built\n");
    await at("watch", "down", "--set", `port=${port}`);
  });

  it("udp: answers come back, and a changed config is taken over", { timeout: 600_000 }, async () => {
    const port = await freePort();
    const socket = createSocket("udp4");
    const answers = new Set<string>();
    socket.on("message", data => answers.add(data.toString()));
    const ask = async (wanted: string) => {
      socket.send("Ann", port, "127.0.0.1");
      return answers.has(wanted);
    };
    await at("udp", "up", "-d", "--set", `port=${port}`);
    expect(await until("an answer", () => ask("hello Ann"))).toBe(true);
    await at("udp", "up", "-d", "--set", `port=${port}`, "--set", "greeting=welcome");
    expect(await until("the new answer", () => ask("welcome Ann"))).toBe(true);
    socket.close();
    await at("udp", "down");
  });

  it("blog: what was posted is still there after down and up", { timeout: 600_000 }, async () => {
    const port = await freePort();
    const run = (...args: string[]) =>
      host.berth(args, {
        cwd: join(copies, "blog"),
        env: { BLOG_PASSWORD: "it's \\ secret", BERTH_PARAM_PORT: `${port}` },
      });
    await run("up", "-d", "--wait");
    const body = new URLSearchParams({ post: "first post" });
    expect((await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body })).ok).toBe(true);
    await run("down");
    await run("up", "-d", "--wait");
    expect(await page(port)).toContain("first post");
    const shown = await run("container", "inspect", "blog-web-1", "blog-db-1");
    expect(shown.stdout).not.toContain("secret\"'");
    expect(shown.stdout).not.toContain("it's");
    await run("down", "-v");
  });
});
