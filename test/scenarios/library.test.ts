import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { endBerthd } from "./end-berthd.ts";
import { run } from "./images-fixture.ts";
import { RegistryProgram } from "./registry-program.ts";

const root = join(import.meta.dirname, "../..");
const berth = join(root, "bin/berth");
let base: string;
let environment: Record<string, string>;
let registry: RegistryProgram;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "berth-library-"));
  environment = {
    BERTH_ROOT: join(base, "root"),
    BERTH_RUN: join(base, "run"),
    BERTH_INSTANCE: `l${process.pid.toString(36)}`,
  };
  registry = await RegistryProgram.start(join(base, "registry"));
});

afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await endBerthd(join(base, "run"));
  rmSync(base, { recursive: true, force: true });
});

const library = (...args: string[]) => run(berth, ["image", "build-library", "-q", ...args], environment);

test("each official image has a Dockerfile and a check", () => {
  const { images } = JSON.parse(readFileSync(join(root, "images/library.json"), "utf8")) as {
    images: { name: string }[];
  };
  expect(images.map(({ name }) => name).sort()).toEqual(
    ["busybox", "debian", "nginx", "node", "postgres", "redis", "tomcat"].sort(),
  );
  for (const { name } of images) {
    expect(readdirSync(join(root, "images", name))).toEqual(expect.arrayContaining(["Dockerfile", "check"]));
    expect(readdirSync(join(root, "images", name, "check"))).toContain("check.sh");
  }
});

test("busybox, redis and nginx are built, do their work, and are pushed", { timeout: 600_000 }, async () => {
  const said = await library("busybox", "redis", "nginx", "--check", "--push", `${registry.domain}/library`);
  for (const name of ["busybox", "redis", "nginx"])
    expect(said).toMatch(
      new RegExp(`^${name}: \\w{12} built in .*, checked in .*, pushed as .*/library/${name}:`, "m"),
    );
  const { repositories } = (await (await fetch(`${registry.base}/_catalog`)).json()) as { repositories: string[] };
  expect(repositories).toEqual(["library/busybox", "library/nginx", "library/redis"]);
  // As people use them: options instead of a command.
  expect(await run(berth, ["run", "--rm", "redis", "--version"], environment)).toMatch(/Redis server v=7/);
  expect(await run(berth, ["run", "--rm", "nginx", "nginx", "-T"], environment)).toMatch(/listen 80;/);
});

test("an image whose check fails is said so, with what it wrote, and the others are built all the same", async () => {
  const from = mkdtempSync(join(base, "from-"));
  const image = (name: string, check: string) => {
    const folder = join(from, name);
    return {
      name,
      bootstrap: "busybox:static",
      tags: ["1"],
      check: { command: ["sleep", "5"] },
      folder,
      check_sh: check,
    };
  };
  const images = [image("broken", "echo it is broken; kill 1; exit 1"), image("good", "exit 0")];
  for (const { folder, check_sh } of images) {
    mkdirSync(join(folder, "check"), { recursive: true });
    writeFileSync(join(folder, "Dockerfile"), "FROM busybox:static\nSTOPSIGNAL SIGKILL\n");
    writeFileSync(join(folder, "check/check.sh"), check_sh);
  }
  const described = images.map(({ name, bootstrap, tags, check }) => ({
    ...{ name, bootstrap, tags },
    check: { ...check, exitCodes: [137] },
  }));
  writeFileSync(join(from, "library.json"), JSON.stringify({ images: described }));
  const child = spawn(berth, ["image", "build-library", "-q", "--check", "--from", from], {
    env: { ...process.env, ...environment },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", chunk => (output += chunk));
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  expect(output).toMatch(/checking .*it ended with/);
  expect(output).toMatch(/^good: \w{12} built in .*, checked in/m);
  expect(output).toMatch(/not done: broken/);
});
