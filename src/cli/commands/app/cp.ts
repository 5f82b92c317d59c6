import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { madeTasks, oneTask } from "../../app/tasks.ts";
import type { CliContext } from "../../context.ts";
import { type CopyFlags, copy, parsePlace } from "../container/cp.ts";

interface Flags extends AppFlags, CopyFlags {
  all?: boolean;
  index?: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(
    command
      .argument("<source>", "SERVICE:PATH, a local path, or - for a tar archive on stdin")
      .argument("<target>", "SERVICE:PATH, a local path, or - for a tar archive on stdout"),
  )
    .option("-a, --archive", "keep owners and groups")
    .option("-L, --follow-link", "copy what a link points to")
    .option("--index <number>", "which task, where the service has several")
    .option("--all", "into all tasks of the service")
    .action((from: string, to: string, flags: Flags) => copyWithService(context, from, to, flags));
}

async function copyWithService(context: CliContext, from: string, to: string, flags: Flags): Promise<void> {
  const [source, target] = [parsePlace(from), parsePlace(to)];
  if (source.container !== undefined && target.container === undefined) {
    if (flags.all) throw new BerthError("invalid", `copying out of all tasks of ${source.container}: choose one`);
    const { containerId } = await oneTask(context, flags, source.container, flags.index);
    return copy(context, { ...source, container: containerId }, target, flags);
  }
  if (source.container !== undefined || target.container === undefined) return copy(context, source, target, flags);
  const tasks = flags.all
    ? await madeTasks(context, flags, [target.container])
    : [await oneTask(context, flags, target.container, flags.index)];
  for (const { containerId } of tasks) await copy(context, source, { ...target, container: containerId }, flags);
}
