import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";
import { withDisplay } from "../../output/pull-progress.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<image>", "name with its registry, e.g. registry.example.com/team/web:1.2")
    .option("-q, --quiet", "print only the digest")
    .action(async (name: string, flags: { quiet?: boolean }) => {
      const { images } = await context.engine();
      const { digest, size } = await withDisplay(context, flags.quiet, onProgress =>
        images.push(name, { onProgress, signal: context.signal }),
      );
      print(context, flags.quiet ? digest : `${name}: digest: ${digest} size: ${size}`);
    });
}
