import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Environment } from "../../base/env.ts";
import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import { startError } from "./run-program.ts";

const messagesLimit_bytes = 64 << 10;
const installHint = "install it: apt-get install mmdebstrap";

export interface MmdebstrapRun extends AsyncDisposable {
  /** What it writes; fails when the program does, even if that shows only at its end. */
  tar: AsyncGenerator<Buffer>;
}

export interface MmdebstrapInput extends CallOptions {
  args: string[];
  environment: Environment;
  /** Gets its steps, e.g. "installing essential packages...". */
  onStep?: (step: string) => void;
}

/** Starts mmdebstrap with its result on standard output. Disposing stops it, with all that it started. */
export function runMmdebstrap({ args, environment, onStep, signal }: MmdebstrapInput): MmdebstrapRun {
  // A group of its own, so that apt and dpkg can be stopped with it.
  const child = spawn("mmdebstrap", args, { stdio: ["ignore", "pipe", "pipe"], env: environment, detached: true });
  let messages = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    messages = (messages + text).slice(-messagesLimit_bytes);
    for (const step of text.matchAll(
      /^I: ((?:downloading|extracting|installing|cleaning|creating|running apt-get) .+)$/gm,
    )) {
      onStep?.(step[1]!);
    }
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", thrown => reject(startError("mmdebstrap", thrown, installHint)));
    child.on("close", resolve);
  });
  ended.catch(() => undefined);
  const stop = () => stopGroup(child.pid);
  signal?.addEventListener("abort", stop, { once: true });
  return {
    tar: tarOf(child, ended, () => messages, signal),
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener("abort", stop);
      stop();
      child.stdout.destroy();
      await ended.catch(() => undefined);
    },
  };
}

async function* tarOf(
  child: ChildProcessByStdio<null, Readable, Readable>,
  ended: Promise<number | null>,
  messages: () => string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  for await (const chunk of child.stdout) yield chunk as Buffer;
  const code = await ended;
  if (signal?.aborted) throw new BerthError("cancelled", "bootstrap: cancelled", { cause: signal.reason });
  if (code !== 0) throw failure(code, messages());
}

function failure(code: number | null, messages: string): BerthError {
  const told = messages.split("\n").filter(line => /^(E|Err|W): ?/.test(line));
  const reason = (told.length > 0 ? told : messages.trim().split("\n")).slice(-5).join("; ");
  const isMirror =
    /Failed to fetch|Could not (resolve|connect)|Temporary failure|Unable to connect|Connection (timed out|refused)/.test(
      messages,
    );
  const isMissing = /does not have a Release file|404 +Not Found/.test(messages);
  if (isMissing) {
    return new BerthError("not_found", `bootstrap: the mirror has no such suite: ${reason}`, {
      hint: "name a suite that the mirror in /etc/apt carries, e.g. debian:stable",
    });
  }
  return new BerthError(isMirror ? "unavailable" : "internal", `bootstrap: mmdebstrap ended with ${code}: ${reason}`, {
    hint: isMirror ? "check that 'apt-get update' works on this host" : undefined,
  });
}

function stopGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGTERM");
  } catch {
    // It has ended already.
  }
}
