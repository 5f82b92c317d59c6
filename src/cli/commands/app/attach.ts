import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { oneTask } from "../../app/tasks.ts";
import type { CliContext } from "../../context.ts";
import { attach } from "../container/attach.ts";

interface Flags extends AppFlags {
  index?: string;
  stdin: boolean;
  sigProxy: boolean;
  detachKeys: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("<service>", "name of the service"))
    .option("--index <number>", "which task, where the service has several")
    .option("--no-stdin", "do not pass on stdin")
    .option("--no-sig-proxy", "do not pass signals on")
    .option("--detach-keys <keys>", "keys that leave it running", "ctrl-p,ctrl-q")
    .action(async (service: string, flags: Flags) => {
      const { containerId } = await oneTask(context, flags, service, flags.index);
      await attach(context, containerId, flags);
    });
}
