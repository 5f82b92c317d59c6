import type { Command } from "commander";
import { shortId } from "../../../base/ids.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { madeTasks } from "../../app/tasks.ts";
import { type CliContext, print } from "../../context.ts";
import { familiarName } from "../../output/image-names.ts";
import { printRows } from "../../output/rows.ts";
import { humanSize } from "../../output/units.ts";

interface Flags extends AppFlags {
  quiet?: boolean;
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all if none is named"))
    .option("-q, --quiet", "ids only")
    .option("--format <format>", "table, json, or a Go template")
    .action((services: string[], flags: Flags) => list(context, services, flags));
}

async function list(context: CliContext, services: string[], flags: Flags): Promise<void> {
  const { images } = await context.engine();
  const tasks = await madeTasks(context, flags, services);
  const rows = await Promise.all(
    tasks.map(async task => {
      const image = await images.find(task.imageId ?? task.image, { signal: context.signal });
      const [repository = "", tag = "latest"] = familiarName(task.image).split(/:(?=[^/]+$)/);
      return {
        Container: task.name,
        Service: task.service,
        Repository: repository,
        Tag: tag,
        ID: shortId((image?.id ?? task.imageId ?? "").replace("sha256:", "")),
        Size: image ? humanSize(image.size_bytes) : "gone",
      };
    }),
  );
  if (flags.quiet) {
    for (const id of new Set(rows.map(row => row.ID))) print(context, id);
    return;
  }
  printRows(context, rows, flags.format, [
    ["CONTAINER", "Container"],
    ["REPOSITORY", "Repository"],
    ["TAG", "Tag"],
    ["IMAGE ID", "ID"],
    ["SIZE", "Size"],
  ]);
}
