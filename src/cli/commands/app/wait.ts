import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { follow } from "../../app/follow.ts";
import { selectedName } from "../../app/selection.ts";
import { madeTasks } from "../../app/tasks.ts";
import { type CliContext, print } from "../../context.ts";
import { ExitWith } from "../../exit.ts";

interface Flags extends AppFlags {
  downProject?: boolean;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("<service...>", "services to wait for"))
    .option("--down-project", "take the app down when the first has ended")
    .action((services: string[], flags: Flags) => wait(context, services, flags));
}

/** Exit codes are printed as tasks end; the last one's is this command's own. */
async function wait(context: CliContext, services: string[], flags: Flags): Promise<void> {
  const { containers } = await context.engine();
  const tasks = await madeTasks(context, flags, services);
  let code = 0;
  const waits = tasks.map(async ({ containerId, name }) => {
    const { exitCode } = await containers.wait(containerId, { condition: "not-running", signal: context.signal });
    print(context, `${name} exited with code ${exitCode}`);
    code = exitCode;
  });
  if (flags.downProject) {
    await Promise.race(waits);
    const name = await selectedName(context, flags);
    const exitCode = code;
    await follow(context, (await context.backend("apps")).down(name, { signal: context.signal }));
    await Promise.allSettled(waits);
    throw new ExitWith(exitCode);
  }
  await Promise.all(waits);
  throw new ExitWith(code);
}
