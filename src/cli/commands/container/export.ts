import type { Command } from "commander";
import { writeArchive } from "../../archive.ts";
import type { CliContext } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container>", "name or id")
    .option("-o, --output <file>", "file to write, instead of stdout")
    .action(async (name: string, flags: { output?: string }) => {
      const tar = await (await context.engine()).containers.export(name, { signal: context.signal });
      await writeArchive(context, tar, flags.output);
    });
}
