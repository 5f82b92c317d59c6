import { spawn } from "node:child_process";
import type { Environment } from "../../base/env.ts";
import { BerthError } from "../../base/errors.ts";
import type { HostHook } from "../../model/service.ts";
import type { CallOptions } from "../../ports/content.ts";

const keptOutput_bytes = 4096;

/** Runs commands of apps on the host, each in a process group of its own. They see PATH, what they are told and their own variables, nothing else of berthd's. */
export class HostHookRunner {
  readonly #path: string;

  constructor(environment: Environment) {
    this.#path = environment["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  }

  /** Throws `not_found` where it cannot be run, `timeout` where it takes too long (all of its group is killed), `conflict` where it fails. */
  async run(hook: HostHook, environment: Record<string, string>, { signal }: CallOptions = {}): Promise<void> {
    const [program = "", ...args] = hook.command;
    const what = `host hook "${hook.command.join(" ")}"`;
    signal?.throwIfAborted();
    const env = { PATH: this.#path, ...environment, ...hook.environment };
    const child = spawn(program, args, { cwd: "/", env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output = (output + chunk).slice(-keptOutput_bytes);
      });
    }
    const killGroup = () => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, "SIGKILL");
    };
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      killGroup();
    }, hook.timeout_ms);
    signal?.addEventListener("abort", killGroup, { once: true });
    try {
      // Not until its streams close: what it leaves running in the background may keep them.
      const code = await new Promise<number | null>((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", resolve);
      });
      signal?.throwIfAborted();
      if (late) throw new BerthError("timeout", `${what} did not end within ${hook.timeout_ms} ms`);
      if (code !== 0) throw new BerthError("conflict", `${what} ended with ${code ?? "a signal"}${lastLine(output)}`);
    } catch (thrown) {
      if (thrown instanceof BerthError || signal?.aborted) throw thrown;
      throw new BerthError("not_found", `${what} could not be started: ${(thrown as Error).message}`, {
        cause: thrown,
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", killGroup);
      child.stdout.destroy();
      child.stderr.destroy();
    }
  }
}

function lastLine(output: string): string {
  const line = output.trim().split("\n").at(-1);
  return line ? `: ${line}` : "";
}
