import type { Command } from "commander";
import { readArchive } from "../../archive.ts";
import { type CliContext, print } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<file>", "tar archive of a root file system, or - for stdin")
    .argument("[image]", "name of the new image")
    .option("-m, --message <message>", "line for its history")
    .action(async (file: string, reference: string | undefined, flags: { message?: string }) => {
      const { images } = await context.engine();
      const image = await images.import(readArchive(context, file), {
        reference,
        message: flags.message,
        signal: context.signal,
      });
      print(context, image.id);
    });
}
