import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import type { Command } from "commander";
import { BerthError, isCode } from "../../../base/errors.ts";
import type { CommandModule } from "../../commands.ts";
import { type CliContext, print } from "../../context.ts";
import { forEach } from "../../each.ts";
import { collect } from "../../options/container.ts";
import { parseLabels } from "../../options/environment.ts";
import { printRows } from "../../output/rows.ts";
import { ago } from "../../output/units.ts";

type Kind = "secret" | "config";

/** `secret create` and `config create`: contents that apps name as external. */
export const createFile = (kind: Kind): CommandModule => ({
  define(command: Command, context: CliContext) {
    command
      .argument("<name>", `name that apps call the ${kind} by`)
      .argument("<file>", "where its content is read from; - for stdin")
      .option("-l, --label <pair>", "label NAME=VALUE", collect, [])
      .addHelpText(
        "after",
        `\nApps name it as external; the same name again is its next content, which they get at their next 'up'.\n\nExample:\n  printf %s "$PASSWORD" | ${context.program} ${kind} create db-password -`,
      )
      .action(async (name: string, file: string, flags: { label: string[] }) => {
        const content = await readContent(context, file);
        const options = { labels: parseLabels(flags.label), signal: context.signal };
        const made = await (await context.backend("files")).create(kind, name, content.toString("base64"), options);
        print(context, made.id);
      });
  },
});

export const listFiles = (kind: Kind): CommandModule => ({
  define(command: Command, context: CliContext) {
    command
      .option("-q, --quiet", "names only")
      .option("--format <format>", "table, json, or a Go template")
      .action(async (flags: { quiet?: boolean; format?: string }) => {
        const files = await (await context.backend("files")).list(kind, { signal: context.signal });
        if (flags.quiet) {
          for (const { name } of files) print(context, name);
          return;
        }
        const now_ms = context.clock.now_ms();
        const rows = files.map(({ id, name, labels, createdAt_ms }) => ({
          ID: id,
          Name: name,
          Labels: Object.entries(labels)
            .map(pair => pair.join("="))
            .join(","),
          CreatedAt: ago(new Date(createdAt_ms).toISOString(), now_ms),
        }));
        printRows(context, rows, flags.format, [
          ["NAME", "Name"],
          ["CREATED", "CreatedAt"],
          ["LABELS", "Labels"],
        ]);
      });
  },
});

export const removeFiles = (kind: Kind): CommandModule => ({
  define(command: Command, context: CliContext) {
    command
      .argument("<name...>", "names")
      .option("-f, --force", "no error if it is not there")
      .action(async (names: string[], flags: { force?: boolean }) => {
        const files = await context.backend("files");
        await forEach(context, names, async name => {
          try {
            await files.remove(kind, name, { signal: context.signal });
          } catch (thrown) {
            if (!flags.force || !isCode(thrown, "not_found")) throw thrown;
          }
          return undefined;
        });
      });
  },
});

async function readContent(context: CliContext, file: string): Promise<Buffer> {
  if (file === "-") return await buffer(context.stdin);
  try {
    return readFileSync(resolve(context.cwd, file));
  } catch (cause) {
    throw new BerthError("invalid", `reading the content failed: ${(cause as Error).message}`, { cause });
  }
}
