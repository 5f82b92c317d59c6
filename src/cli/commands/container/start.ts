import type { Command } from "commander";
import { BerthError, isCode } from "../../../base/errors.ts";
import type { CliContext } from "../../context.ts";
import { forEach } from "../../each.ts";
import { ExitWith } from "../../exit.ts";
import { forwardSignals } from "../../signals.ts";
import { joinSession } from "../../terminal.ts";

interface Flags {
  attach?: boolean;
  interactive?: boolean;
  detachKeys: string;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container...>", "names or ids")
    .option("-a, --attach", "show its output, exit with its code")
    .option("-i, --interactive", "pass on stdin too")
    .option("--detach-keys <keys>", "keys that leave it running", "ctrl-p,ctrl-q")
    .action(async (names: string[], flags: Flags) => {
      const engine = await context.engine();
      if (!flags.attach && !flags.interactive) {
        return forEach(
          context,
          names,
          async name => void (await engine.containers.start(name, { signal: context.signal })),
        );
      }
      if (names.length > 1)
        throw new BerthError("invalid", "only one container can be attached to", {
          hint: "start the others without -a and -i",
        });
      throw new ExitWith(await startAttached(context, names[0]!, flags));
    });
}

async function startAttached(context: CliContext, name: string, flags: Flags): Promise<number> {
  const engine = await context.engine();
  const { id, spec } = await engine.containers.inspect(name);
  const registered = Promise.withResolvers<void>();
  const exit = engine.containers.wait(id, {
    condition: spec.autoRemove ? "removed" : "next-exit",
    onRegistered: registered.resolve,
  });
  exit.catch(registered.reject);
  await using session = await engine.containers.attach(id, {
    stdin: flags.interactive,
    stdout: true,
    stderr: true,
    stream: true,
  });
  await registered.promise;
  try {
    await engine.containers.start(id, { signal: context.signal });
  } catch (thrown) {
    if (!isCode(thrown, "unchanged")) throw thrown;
  }
  const stop = spec.tty ? () => {} : forwardSignals(context, engine, id);
  try {
    const result = await joinSession(context, session, {
      interactive: flags.interactive === true,
      tty: spec.tty === true,
      detachKeys: flags.detachKeys,
      resize: (rows, columns) => engine.containers.resize(id, rows, columns),
    });
    return result === "detached" ? 0 : (await exit).exitCode;
  } finally {
    stop();
  }
}
