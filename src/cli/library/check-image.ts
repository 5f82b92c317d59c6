import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import type { MountSpec } from "../../model/container.ts";
import type { CliEngine } from "../context.ts";
import type { ImageCheck } from "./library.ts";

const limit_ms = 120_000;
const pause_ms = 250;
const stop_ms = 30_000;

/**
 * Runs a container of `image` until its check has succeeded in it, then stops it as any user would. Nothing of it stays. Throws `conflict` with what the check
 * and the container wrote.
 */
export async function checkImage(
  engine: CliEngine,
  image: string,
  check: ImageCheck,
  { directory, clock, signal }: { directory: string; clock: Clock; signal: AbortSignal },
): Promise<void> {
  const { containers } = engine;
  const mount = (source: string, target: string): MountSpec => ({ type: "bind", source, target, readOnly: true });
  const { id } = await containers.create({
    image,
    command: check.command,
    env: check.env ?? [],
    labels: {},
    mounts: [
      mount(directory, "/check"),
      ...Object.entries(check.mounts ?? {}).map(([folder, target]) => mount(join(directory, folder), target)),
    ],
    ports: [],
    namespaces: {},
    resources: {},
    restart: { name: "no" },
    log: { driver: "", options: {} },
  });
  try {
    await containers.start(id, { signal });
    await succeeds(engine, id, image, clock, signal);
    await containers.stop(id, { timeout_ms: stop_ms, signal });
    const { exitCode } = (await containers.inspect(id)).state;
    const wanted = check.exitCodes ?? [0];
    if (!wanted.includes(exitCode ?? -1))
      throw new BerthError(
        "conflict",
        `checking ${image}: stopped, it ended with ${exitCode}, not ${wanted.join(" or ")}`,
      );
  } finally {
    await containers.remove(id, { force: true, volumes: true });
  }
}

/** Programs take a while to be ready: the check is tried until it succeeds. */
async function succeeds(
  engine: CliEngine,
  id: string,
  image: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { containers } = engine;
  const end_ms = clock.now_ms() + limit_ms;
  for (;;) {
    const last = await runCheck(engine, id, signal);
    if (last.exitCode === 0) return;
    const { state } = await containers.inspect(id);
    if (state.status === "running" && clock.now_ms() < end_ms) {
      await clock.sleep(pause_ms, { signal });
      continue;
    }
    const log = await textOf(containers.logs(id, { tail: 20 }));
    const found = state.status === "running" ? `failed for ${limit_ms / 1000} s` : `it ended with ${state.exitCode}`;
    throw new BerthError("conflict", `checking ${image}: ${found}\n${last.output}${log}`.trimEnd());
  }
}

async function runCheck(engine: CliEngine, id: string, signal: AbortSignal) {
  const { containers } = engine;
  try {
    const exec = await containers.createExec(id, { args: ["sh", "/check/check.sh"] }, { signal });
    await using session = await containers.startExec(exec, { signal });
    const output = await textOf(session!.output);
    return { exitCode: await containers.waitExec(exec, { signal }), output };
  } catch (thrown) {
    // A container that has ended has more to say about it than the exec.
    if (signal.aborted || (await containers.inspect(id)).state.status === "running") throw thrown;
    return { exitCode: -1, output: "" };
  }
}

async function textOf(output: AsyncIterable<{ data: Buffer }>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const { data } of output) parts.push(data);
  return Buffer.concat(parts).toString("utf8");
}
