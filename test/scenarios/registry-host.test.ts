import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { tarOf } from "../../src/testing/sample-images.ts";
import { endBerthd } from "./end-berthd.ts";
import { run } from "./images-fixture.ts";
import { freePort } from "./registry-program.ts";

const bin = join(import.meta.dirname, "../../bin");
let base: string;
let environment: Record<string, string>;
let domain: string;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "berth-host-registry-"));
  domain = `127.0.0.1:${await freePort()}`;
  mkdirSync(join(base, "etc"));
  writeFileSync(join(base, "etc/berthd.json"), JSON.stringify({ registry: { listen: domain } }));
  environment = {
    BERTH_ROOT: join(base, "root"),
    BERTH_RUN: join(base, "run"),
    BERTH_INSTANCE: `h${process.pid.toString(36)}`,
    BERTH_CONFIG: join(base, "etc"),
    DOCKER_CONFIG: join(base, "docker"),
  };
  // The first command starts berthd, and that the registry.
  await run(join(bin, "berth"), ["info"], environment);
  await vi.waitFor(() => fetch(`http://${domain}/v2/`), { timeout: 20_000 });
});

afterAll(async () => {
  await endBerthd(join(base, "run"));
  rmSync(base, { recursive: true, force: true });
});

const berth = (...args: string[]) => run(join(bin, "berth"), args, environment);
const blobs = () => readdirSync(join(base, "root/content/blobs/sha256"));
const stored_bytes = () =>
  blobs().reduce((sum, name) => sum + statSync(join(base, "root/content/blobs/sha256", name)).size, 0);

async function importImage(name: string): Promise<void> {
  const tar = join(base, "root.tar");
  writeFileSync(tar, tarOf({ big: randomBytes(5_000_000) }));
  await berth("import", tar, name);
}

test("an image that is pushed to berthd's own registry is neither sent nor stored twice", async () => {
  await importImage(`${domain}/team/app:1`);
  const before = { blobs: blobs(), bytes: stored_bytes() };
  const said = await run("sh", ["-c", `'${join(bin, "berth")}' push ${domain}/team/app:1 2>&1`], environment);
  expect(said).toMatch(/Layer already exists/);
  expect(said).not.toMatch(/Pushed/);
  expect(stored_bytes() - before.bytes).toBeLessThan(100_000);
  expect(readdirSync(join(base, "root/content/ingest"))).toEqual([]);

  // What others push is shared as well: here nothing is left to fetch.
  const copy = ["copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"];
  await run("skopeo", [...copy, `docker://${domain}/team/app:1`, `docker://${domain}/team/copy:1`], environment);
  await berth("pull", "-q", `${domain}/team/copy:1`);
  expect(stored_bytes() - before.bytes).toBeLessThan(100_000);
});

test("what the registry holds outlives the image it came from, also when the engine prunes without berthd", async () => {
  const name = `${domain}/team/kept:1`;
  await importImage(name);
  await berth("push", name);
  await berth("rmi", "-f", name);
  await run(join(bin, "berth-engine"), ["image", "prune", "-a", "-f"], environment);
  await berth("pull", "-q", name);
  expect(await berth("images", "-q", name)).toMatch(/\w{12}/);
});

test("nobody gets a blob of the engine's that was never pushed, whatever digest they name", async () => {
  await importImage("secret:1");
  const [secret] = blobs().filter(name => statSync(join(base, "root/content/blobs/sha256", name)).size > 4_000_000);
  const digest = `sha256:${secret}`;
  const url = `http://${domain}/v2`;
  expect((await fetch(`${url}/team/other/blobs/${digest}`)).status).toBe(404);
  expect((await fetch(`${url}/team/other/blobs/uploads/?mount=${digest}`, { method: "POST" })).status).toBe(202);
  const started = await fetch(`${url}/team/other/blobs/uploads/`, { method: "POST" });
  const claimed = await fetch(`http://${domain}${started.headers.get("location")}?digest=${digest}`, {
    method: "PUT",
    headers: { "Berth-Store-Proof": "0".repeat(64) },
  });
  expect(claimed.status).toBe(404);
});

test("an address that is taken keeps berthd from serving the registry, and from nothing else", async () => {
  const other = { ...environment, BERTH_ROOT: join(base, "root2"), BERTH_RUN: join(base, "run2") };
  mkdirSync(other.BERTH_RUN);
  const daemon = spawn(join(bin, "berthd"), ["--instance", "taken", "--registry", domain], {
    env: { ...process.env, ...other },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  daemon.stderr.on("data", chunk => (log += chunk));
  await vi.waitFor(() => expect(log).toMatch(/berthd is ready/), { timeout: 20_000 });
  expect(log).toMatch(/the registry is not served: listening on 127.0.0.1:\d+ failed/);
  expect(await run(join(bin, "berth"), ["ls", "-q"], { ...other, BERTH_INSTANCE: "taken" })).toBe("");
  await endBerthd(other.BERTH_RUN);
});
