import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DockerHost } from "./docker-fixture.ts";

const file = `
version: "2.4"
services:
  web:
    build: ./web
    stop_grace_period: 0s
    ports: ["80"]
    depends_on: { db: { condition: service_healthy } }
    volumes: ["data:/data"]
    networks: [front, back]
    environment: { GREETING: hello }
  db:
    image: busybox
    stop_grace_period: 0s
    command: sh -c "echo db is up; sleep 1000"
    healthcheck: { test: ["CMD", "true"], interval: 1s }
    networks: { back: { aliases: [database] } }
volumes: { data: {} }
networks: { front: {}, back: { internal: true } }
`;

let host: DockerHost;
let directory: string;
const compose = async (...args: string[]) => {
  const { code, stdout, stderr } = await host.program("docker-compose", args, { cwd: directory });
  if (code !== 0) throw new Error(`docker-compose ${args.join(" ")}: ${code}\n${stdout}\n${stderr}`);
  return stdout + stderr;
};

beforeAll(async () => {
  host = await DockerHost.start();
  directory = join(host.directory, "shop");
  mkdirSync(join(directory, "web"), { recursive: true });
  writeFileSync(join(directory, "docker-compose.yml"), file);
  writeFileSync(
    join(directory, "web", "Dockerfile"),
    'FROM busybox\nRUN echo built >/built\nCMD ["httpd","-f","-p","80"]\n',
  );
});
afterAll(() => host?.[Symbol.asyncDispose]());

test("docker-compose 1.29.2 builds, starts, shows, scales, runs commands in and removes an application", async () => {
  await compose("up", "-d");
  const shown = await compose("ps");
  expect(shown).toMatch(/shop_db_1.*Up \(healthy\)/);
  expect(shown).toMatch(/shop_web_1.*Up.*->80\/tcp/);
  expect(await compose("logs", "db")).toContain("db is up");
  expect(await compose("exec", "-T", "web", "sh", "-c", "echo $GREETING; cat /built")).toBe("hello\nbuilt\n");
  expect(await compose("exec", "-T", "web", "nslookup", "database")).toContain("Address");

  await compose("up", "-d", "--scale", "db=2", "--scale", "web=1");
  expect((await host.dockerOk("ps", "--format", "{{.Names}}")).split("\n").sort()).toEqual([
    "shop_db_1",
    "shop_db_2",
    "shop_web_1",
  ]);
  // Nothing has changed: nothing is made anew.
  const id = await host.dockerOk("inspect", "-f", "{{.Id}}", "shop_web_1");
  expect(await compose("up", "-d", "--scale", "db=2")).toContain("shop_web_1 is up-to-date");
  expect(await host.dockerOk("inspect", "-f", "{{.Id}}", "shop_web_1")).toBe(id);
  await compose("restart", "web");

  await compose("down", "-v");
  expect(await host.dockerOk("ps", "-aq")).toBe("");
  expect(await host.dockerOk("volume", "ls", "-q")).toBe("");
  expect(await host.dockerOk("network", "ls", "-q", "--filter", "type=custom")).toBe("");
});
