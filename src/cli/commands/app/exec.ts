import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { oneTask } from "../../app/tasks.ts";
import type { CliContext } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { execute } from "../container/exec.ts";

interface Flags extends AppFlags {
  detach?: boolean;
  detachKeys: string;
  env: string[];
  index?: string;
  interactive: boolean;
  privileged?: boolean;
  tty: boolean;
  user?: string;
  workdir?: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(
    command
      .argument("<service>", "name of the service")
      .argument("<command...>", "program and arguments")
      .passThroughOptions(),
    { short: false, envFile: false },
  )
    .option("-d, --detach", "leave it running in the background")
    .option("--detach-keys <keys>", "keys that leave it running", "ctrl-p,ctrl-q")
    .option("-e, --env <pair>", "environment variable", collect, [])
    .option("--index <number>", "which task, where the service has several")
    .option("-i, --interactive", "keep stdin open (it is)", true)
    .option("--no-interactive", "do not pass on stdin")
    .option("--privileged", "with all capabilities")
    .option("-t, --tty", "give it a terminal (it has one where this is one)", true)
    .option("-T, --no-tty", "without a terminal")
    .option("-u, --user <user>", "user[:group]")
    .option("-w, --workdir <path>", "working directory")
    .addHelpText(
      "after",
      `\nExamples:\n  ${context.program} app exec web sh\n  ${context.program} app exec --index 2 -T db pg_dump shop > shop.sql`,
    )
    .action(async (service: string, args: string[], flags: Flags) => {
      const { containerId } = await oneTask(context, flags, service, flags.index);
      const tty = flags.tty && context.stdin.isTTY === true && context.stdout.isTTY === true;
      await execute(context, containerId, args, { ...flags, envFile: [], tty });
    });
}
