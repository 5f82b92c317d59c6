import { resolve } from "node:path";
import type { Command } from "commander";
import type { CliContext } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<file>", "where the copy is written; it must not exist yet")
    .addHelpText(
      "after",
      `\nThe copy holds all apps, their history, and secrets and configs, sealed. The key that opens those is not in it:\nit is the file "key" beside the store, and is kept apart from the copies.\n\nExample:\n  ${context.program} system backup /srv/backup/berth-$(date +%F).db`,
    )
    .action(async (file: string) => {
      const path = resolve(context.cwd, file);
      await (await context.backend("host")).backup(path, { signal: context.signal });
      context.stderr.write(`The state of this host's apps is in ${path}.\n`);
    });
}
