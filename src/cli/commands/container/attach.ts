import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import type { CliContext } from "../../context.ts";
import { ExitWith } from "../../exit.ts";
import { forwardSignals } from "../../signals.ts";
import { joinSession } from "../../terminal.ts";

export interface AttachFlags {
  stdin: boolean;
  sigProxy: boolean;
  detachKeys: string;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container>", "name or id")
    .option("--no-stdin", "do not pass on stdin")
    .option("--no-sig-proxy", "do not pass signals on")
    .option("--detach-keys <keys>", "keys that leave it running", "ctrl-p,ctrl-q")
    .action((name: string, flags: AttachFlags) => attach(context, name, flags));
}

/** Joins this terminal with a running container; ends with its exit code. */
export async function attach(context: CliContext, name: string, flags: AttachFlags): Promise<void> {
  const engine = await context.engine();
  const { id, spec, state } = await engine.containers.inspect(name);
  if (state.status !== "running") {
    throw new BerthError("conflict", `container ${name} cannot be attached to: it is ${state.status}`, {
      hint: `'${context.program} start -ai ${name}' starts and attaches`,
    });
  }
  const interactive = flags.stdin && spec.openStdin === true;
  const exit = engine.containers.wait(id, { condition: "not-running" });
  exit.catch(() => undefined);
  await using session = await engine.containers.attach(id, {
    stdin: interactive,
    stdout: true,
    stderr: true,
    stream: true,
  });
  const stop = spec.tty || !flags.sigProxy ? () => {} : forwardSignals(context, engine, id);
  try {
    const result = await joinSession(context, session, {
      interactive,
      tty: spec.tty === true,
      detachKeys: flags.detachKeys,
      resize: (rows, columns) => engine.containers.resize(id, rows, columns),
    });
    throw new ExitWith(result === "detached" ? 0 : (await exit).exitCode);
  } finally {
    stop();
  }
}
