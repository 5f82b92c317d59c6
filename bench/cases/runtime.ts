import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare, execute, type Result } from "../lib/measure.ts";
import type { Peer } from "../lib/peers.ts";

/** What the engine adds to the runtime: from the request to the running process, over a bare `runc run` of the same root. */
export async function runtimeCases(_docker: Peer, berth: Peer): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), "berth-bench-runc-"));
  const bin = join(directory, "rootfs/bin");
  mkdirSync(bin, { recursive: true });
  cpSync("/bin/busybox", join(bin, "busybox"));
  symlinkSync("busybox", join(bin, "true"));
  await execute("runc", ["spec", "--bundle", directory]);
  const spec = JSON.parse(await readText(join(directory, "config.json")));
  spec.process.args = ["/bin/true"];
  spec.process.terminal = false;
  writeFileSync(join(directory, "config.json"), JSON.stringify(spec));
  try {
    return [
      await compare({
        title: "Engine time from request to running process, over a bare runc run",
        rounds: 20,
        bar: 2.5,
        contenders: [
          {
            name: "runc run",
            run: async round =>
              void (await execute("runc", [
                "--root",
                join(directory, "state"),
                "run",
                "--bundle",
                directory,
                `bench${round}`,
              ])),
          },
          {
            name: "berth create + start",
            before: async round =>
              void (await berth.cli("create", "--name", `started${round}`, "busybox", "sleep", "1000")),
            run: round => startTime_ms(berth, `started${round}`),
            after: async round => void (await berth.cli("rm", "-f", `started${round}`)),
          },
        ],
      }),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function readText(path: string): Promise<string> {
  return (await execute("cat", [path])).stdout;
}

/** Asks berthd itself, on a connection that is open: what is measured is the engine, not the start of a command line program. */
async function startTime_ms(berth: Peer, name: string): Promise<number> {
  const { createClient } = await import("../../src/client/client.ts");
  const { HttpTransport } = await import("../../src/client/transport.ts");
  const { engineMethods } = await import("../../src/api/methods.ts");
  using transport = new HttpTransport(join(berth.environment["BERTH_RUN"]!, "berthd.sock"));
  const engine = createClient<Pick<import("../../src/ports/engine.ts").Engine, "containers" | "system">>(
    engineMethods,
    transport,
  );
  await engine.system.info();
  const inspected = await engine.containers.inspect(name);
  const start_ms = performance.now();
  const { id } = await engine.containers.create({ ...inspected.spec, name: `${name}-timed` });
  await engine.containers.start(id);
  const spent_ms = performance.now() - start_ms;
  await engine.containers.remove(id, { force: true });
  return spent_ms;
}
