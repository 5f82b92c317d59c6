import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeProgramHost, type ProgramHost } from "./program-host.ts";

/** Files that both read: docker-compose 1.29.2 wants a version, and knows no name. */
const files: Record<string, string> = {
  plain: `
version: "3.8"
services:
  web: {image: busybox, command: ["sleep", "1000"], labels: {tier: front}, depends_on: [db]}
  db: {image: busybox, command: ["sleep", "1000"], volumes: ["data:/data"]}
volumes: {data: }
`,
  networks: `
version: "3.8"
services:
  a: {image: busybox, command: ["sleep", "1000"], networks: {front: {aliases: [edge]}, back: }}
  b: {image: busybox, command: ["sleep", "1000"], networks: [back]}
networks: {front: , back: {internal: true}}
`,
  scaled: `
version: "2.4"
services:
  worker: {image: busybox, command: ["sleep", "1000"], scale: 3, environment: {A: b}, mem_limit: 64m}
`,
};

describe("docker-compose 1.29.2 on berthd's socket, and berth", () => {
  let host: ProgramHost;
  let directory: string;
  beforeAll(async () => {
    host = await makeProgramHost();
    directory = mkdtempSync(join(tmpdir(), "berth-parity-"));
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  const dockerCompose = (...args: string[]) =>
    new Promise<string>((resolve, reject) => {
      const env = { ...process.env, DOCKER_HOST: `unix://${host.run}/docker.sock` };
      const child = spawn("docker-compose", args, { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"] });
      let [out, all] = ["", ""];
      child.stdout.on("data", data => {
        out += data;
        all += data;
      });
      child.stderr.on("data", data => {
        all += data;
      });
      child.once("close", code => (code === 0 ? resolve(out) : reject(new Error(`${args.join(" ")}: ${all}`))));
    });

  /** What there is of a project, in words that do not depend on its name. */
  async function shapeOf(project: string) {
    const label = `label=com.docker.compose.project=${project}`;
    const { stdout: ids } = await host.berth(["ps", "-aq", "--filter", label]);
    const { stdout } = await host.berth(["container", "inspect", ...ids.trim().split("\n")]);
    const containers = JSON.parse(stdout).map((found: Inspected) => {
      const { labels, env, mounts } = found.spec;
      const own = found.endpoints.map(({ networkName, aliases }) => ({
        network: networkName.replace(project, "app"),
        answers: (aliases ?? []).includes(labels["com.docker.compose.service"]!),
      }));
      return {
        service: labels["com.docker.compose.service"],
        number: labels["com.docker.compose.container-number"],
        oneoff: labels["com.docker.compose.oneoff"],
        tier: labels["tier"],
        env: env.filter(entry => entry.startsWith("A=")),
        mounts: mounts.map(({ target }) => target),
        networks: own.sort((a, b) => (a.network < b.network ? -1 : 1)),
      };
    });
    const named = async (noun: string) => {
      const { stdout: names } = await host.berth([noun, "ls", "--format", "{{.Name}}"]);
      const all = names.split("\n").filter(name => name.startsWith(`${project}_`));
      return all.map(name => name.slice(project.length)).sort();
    };
    const order = (one: { service: string; number: string }) => `${one.service} ${one.number}`;
    return {
      containers: containers.sort((a: never, b: never) => (order(a) < order(b) ? -1 : 1)),
      networks: await named("network"),
      volumes: await named("volume"),
    };
  }

  it.each(Object.keys(files))("%s: each lists what the other made, and both make the same", async name => {
    const path = join(directory, `${name}.yaml`);
    writeFileSync(path, files[name]!);
    const [ours, theirs] = [`ours${name}`, `theirs${name}`];
    await host.berth(["-f", path, "-p", ours, "up", "-d"]);
    await dockerCompose("-f", path, "-p", theirs, "up", "-d");
    const shape = await shapeOf(ours);
    expect(shape.containers.length).toBeGreaterThan(0);
    expect(shape).toEqual(await shapeOf(theirs));
    const listed = (await dockerCompose("-f", path, "-p", ours, "ps", "-q")).trim().split("\n");
    const label = `label=com.docker.compose.project=${ours}`;
    const { stdout } = await host.berth(["ps", "-q", "--no-trunc", "--filter", label]);
    expect(listed.sort()).toEqual(stdout.trim().split("\n").sort());
    await dockerCompose("-f", path, "-p", theirs, "down", "-v", "-t", "1");
    await host.berth(["-f", path, "-p", ours, "down", "-v", "-t", "1"]);
  });
});

interface Inspected {
  spec: { labels: Record<string, string>; env: string[]; mounts: { target: string }[] };
  endpoints: { networkName: string; aliases?: string[] }[];
}
