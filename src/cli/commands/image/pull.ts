import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";
import { parsePlatform } from "../../options/platform.ts";
import { withDisplay } from "../../output/pull-progress.ts";

interface Flags {
  platform?: string;
  quiet?: boolean;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("<image>", "name, e.g. redis, redis:7 or registry.example.com/team/web@sha256:…")
    .option("--platform <platform>", "e.g. linux/arm64")
    .option("-q, --quiet", "print only the name")
    .action(async (name: string, flags: Flags) => {
      const { images } = await context.engine();
      const platform = parsePlatform(flags.platform);
      const image = await withDisplay(context, flags.quiet, onProgress =>
        images.pull(name, { platform, onProgress, signal: context.signal }),
      );
      print(context, image.tags[0] ?? image.repoDigests[0] ?? image.id);
    });
}
