import type { Command } from "commander";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { selectedName } from "../../app/selection.ts";
import { type CliContext, print } from "../../context.ts";

interface Flags extends AppFlags {
  verbose?: boolean;
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service]", "all if none is named"))
    .option("-v, --verbose", "with the life of each task")
    .option("--format <format>", "json")
    .action(async (service: string | undefined, flags: Flags) => {
      const answers = await (await context.backend("apps")).why(await selectedName(context, flags), service, {
        signal: context.signal,
      });
      if (flags.format === "json") return print(context, JSON.stringify(answers, null, 2));
      for (const answer of answers) {
        print(context, `${answer.service}: ${answer.state}`);
        for (const sentence of answer.sentences) print(context, `  ${sentence}`);
        for (const task of flags.verbose ? answer.tasks : []) {
          print(context, `  ${task.name}: made because ${task.cause}`);
          for (const moment of task.life)
            print(
              context,
              `    ${new Date(moment.at_ms).toISOString()} ${moment.state}${moment.message ? `: ${moment.message}` : ""}`,
            );
        }
      }
    });
}
