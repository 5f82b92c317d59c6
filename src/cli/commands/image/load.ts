import type { Command } from "commander";
import { readArchive } from "../../archive.ts";
import { type CliContext, print } from "../../context.ts";
import { withDisplay } from "../../output/pull-progress.ts";

export function define(command: Command, context: CliContext): void {
  command
    .option("-i, --input <file>", "file to read, instead of stdin")
    .option("-q, --quiet", "no progress")
    .action(async (flags: { input?: string; quiet?: boolean }) => {
      const archive = readArchive(context, flags.input);
      const { images } = await context.engine();
      const loaded = await withDisplay(context, flags.quiet, onProgress =>
        images.load(archive, { onProgress, signal: context.signal }),
      );
      for (const { names, image } of loaded) {
        for (const name of names.length > 0 ? names : [image.id]) print(context, `Loaded image: ${name}`);
      }
    });
}
