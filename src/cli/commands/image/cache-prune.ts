import type { Command } from "commander";
import { confirm } from "../../confirm.ts";
import { type CliContext, print } from "../../context.ts";
import { humanSize, parseDuration_ms, parseSize } from "../../output/units.ts";

interface Flags {
  force?: boolean;
  unused?: string;
  keep?: string;
}

export function define(command: Command, context: CliContext): void {
  command
    .option("-f, --force", "do not ask")
    .option("--unused <duration>", "only what has not been used for so long, e.g. 72h")
    .option("--keep <size>", "keep so much, the last used first")
    .action(async (flags: Flags) => {
      if (!flags.force)
        await confirm(context, "The build cache will be removed; the next builds run their steps again.");
      const { removed, reclaimed_bytes } = await (await context.backend("builder")).pruneCache({
        unusedSince_ms:
          flags.unused === undefined ? undefined : context.clock.now_ms() - parseDuration_ms(flags.unused, "--unused"),
        keep_bytes: flags.keep === undefined ? undefined : parseSize(flags.keep, "--keep"),
        signal: context.signal,
      });
      print(context, `${removed.length} records removed, ${humanSize(reclaimed_bytes)} reclaimed`);
    });
}
