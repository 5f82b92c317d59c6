import type { Command } from "commander";
import { writeAnswers } from "../../../appfile/params/answers.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { loadParams } from "../../app/selection.ts";
import { type CliContext, print } from "../../context.ts";

interface Flags extends AppFlags {
  withSecrets?: boolean;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command)
    .option("--with-secrets", "with the values of secret parameters that were given")
    .addHelpText(
      "after",
      `\nExamples:\n  ${context.program} answers > prod.answers\n  ${context.program} answers --set port=80 --with-secrets > prod.answers\n  ${context.program} up --answers prod.answers`,
    )
    .action(async (flags: Flags) => {
      const { params, secrets } = await loadParams(context, flags);
      print(context, writeAnswers(params, { secrets: flags.withSecrets ? secrets : undefined }));
    });
}
