import { spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compare, execute, type Result } from "../lib/measure.ts";
import type { Peer } from "../lib/peers.ts";

const port = 5055;
const reference = `127.0.0.1:${port}/bench/large:1`;

/** Pull, push and unpack of an image of 300 MB in six layers, against Debian's docker-registry on loopback. */
export async function imageCases(docker: Peer, berth: Peer): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), "berth-bench-images-"));
  await using registry = await startRegistry(directory);
  const archive = await makeImage(docker, directory);
  await docker.cli("push", reference);
  await berth.cli("load", "-q", "-i", archive);
  const remove = (peer: Peer) => peer.cli("rmi", "-f", reference);
  const pair = (
    run: (peer: Peer) => Promise<unknown>,
    before?: (peer: Peer) => Promise<unknown>,
    after?: (peer: Peer) => Promise<unknown>,
  ) =>
    [docker, berth].map(peer => ({
      name: peer.name,
      before: before && (async () => void (await before(peer))),
      run: async () => void (await run(peer)),
      after: after && (async () => void (await after(peer))),
    }));
  const results = [
    await compare({
      title: "Push, 300 MB in 6 layers",
      rounds: 3,
      bar: 1,
      contenders: pair(
        peer => peer.cli("push", reference),
        () => registry.empty(),
      ),
    }),
    await compare({
      title: "Pull, 300 MB in 6 layers",
      rounds: 5,
      bar: 1,
      contenders: pair(peer => peer.cli("pull", "-q", reference), remove),
    }),
    await compare({
      title: "Load (unpack) of the same image from a file",
      rounds: 5,
      bar: 1,
      contenders: pair(peer => peer.cli("load", "-q", "-i", archive), remove),
    }),
  ];
  rmSync(directory, { recursive: true, force: true });
  return results;
}

async function makeImage(docker: Peer, directory: string): Promise<string> {
  const lines = ["FROM busybox"];
  for (let layer = 0; layer < 6; layer++) {
    const folder = join(directory, `layer${layer}`);
    mkdirSync(folder);
    // Half noise, half text: compresses about as program files do.
    for (let file = 0; file < 200; file++) {
      const data = Buffer.alloc(250_000, `file ${file} of layer ${layer}; `);
      randomFillSync(data, 0, 125_000);
      writeFileSync(join(folder, `file${file}`), data);
    }
    lines.push(`COPY layer${layer} /data/layer${layer}`);
  }
  writeFileSync(join(directory, "Dockerfile"), lines.join("\n"));
  await execute("docker", ["build", "-q", "-t", reference, directory], {
    env: { ...docker.environment, DOCKER_BUILDKIT: "0" },
  });
  const archive = join(directory, "image.tar");
  await docker.cli("save", "-o", archive, reference);
  return archive;
}

async function startRegistry(directory: string) {
  const data = join(directory, "registry");
  const config = join(directory, "registry.yml");
  writeFileSync(
    config,
    `version: 0.1\nlog: { level: error }\nstorage:\n  filesystem: { rootdirectory: ${data} }\n  delete: { enabled: true }\nhttp: { addr: "127.0.0.1:${port}" }\n`,
  );
  const daemon = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  for (;;) {
    if (
      await fetch(`http://127.0.0.1:${port}/v2/`).then(
        answer => answer.ok,
        () => false,
      )
    )
      break;
    await sleep(20);
  }
  return {
    /** Pushes must find nothing there. */
    async empty() {
      rmSync(data, { recursive: true, force: true });
    },
    async [Symbol.asyncDispose]() {
      daemon.kill("SIGTERM");
    },
  };
}
