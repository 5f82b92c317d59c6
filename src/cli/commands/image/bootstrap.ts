import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";
import { withDisplay } from "../../output/pull-progress.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<image>", "debian:SUITE, debian:SUITE-slim or busybox")
    .option("-q, --quiet", "print only the name")
    .addHelpText("after", `\nExample:\n  ${context.program} image bootstrap debian:bookworm`)
    .action(async (name: string, flags: { quiet?: boolean }) => {
      const { images } = await context.engine();
      const image = await withDisplay(context, flags.quiet, onProgress =>
        images.bootstrap(name, { onProgress, signal: context.signal }),
      );
      print(context, image.tags[0] ?? image.id);
    });
}
