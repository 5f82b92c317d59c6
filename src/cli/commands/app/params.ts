import type { Command } from "commander";
import type { AppParam, ParamSpec } from "../../../model/app.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { loadParams } from "../../app/selection.ts";
import { type CliContext, print } from "../../context.ts";
import { printRows } from "../../output/rows.ts";

interface Flags extends AppFlags {
  all?: boolean;
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command)
    .option("-a, --all", "hidden ones too")
    .option("--format <format>", "table, json, or a Go template")
    .action(async (flags: Flags) => {
      const { params } = await loadParams(context, flags);
      const shown = params.filter(({ hidden }) => flags.all || !hidden);
      if (shown.length === 0 && flags.format === undefined) return print(context, "The app has no parameters.");
      printRows(context, shown.map(toRow), flags.format, [
        ["NAME", "Name"],
        ["TYPE", "Type"],
        ["VALUE", "Value"],
        ["FROM", "From"],
        ["DESCRIPTION", "Description"],
      ]);
    });
}

function toRow(param: AppParam | ParamSpec): Record<string, unknown> {
  const { name, type, values, description = "" } = param;
  const source = "source" in param ? param.source : undefined;
  const value = "value" in param ? param.value : undefined;
  return {
    ...param,
    Name: name,
    Type: type === "enum" ? (values ?? []).join("|") : type,
    Value: type === "secret" && source ? "(secret)" : (value ?? ""),
    From: source ?? "missing",
    Description: description,
  };
}
