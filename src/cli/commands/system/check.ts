import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";
import { ExitWith } from "../../exit.ts";

export function define(command: Command, context: CliContext): void {
  command
    .option("--repair", "mend what is found")
    .option("--format <format>", "json")
    .addHelpText("after", "\nExit code 0: all is consistent (or was mended). 1: something was found.")
    .action(async (flags: { repair?: boolean; format?: string }) => {
      const report = await (await context.engine()).system.check({ repair: flags.repair, signal: context.signal });
      if (flags.format === "json") print(context, JSON.stringify(report, null, 2));
      else {
        for (const finding of report.findings) print(context, `found: ${finding}`);
        for (const repaired of report.repaired) print(context, `mended: ${repaired}`);
        if (report.findings.length === 0)
          print(
            context,
            "All is consistent: no leaked mounts, namespaces, interfaces, rules, addresses, cgroups or directories.",
          );
        else if (!flags.repair) context.stderr.write(`hint: '${context.program} system check --repair' mends it\n`);
      }
      if (report.findings.length > 0 && !flags.repair) throw new ExitWith(1);
    });
}
