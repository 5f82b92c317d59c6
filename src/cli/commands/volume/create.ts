import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { parseLabels } from "../../options/environment.ts";

interface Flags {
  driver: string;
  opt: string[];
  label: string[];
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("[name]", "name of the volume")
    .option("-d, --driver <driver>", "volume driver", "local")
    .option("-o, --opt <pair>", "option of the driver, e.g. type=nfs", collect, [])
    .option("--label <pair>", "label NAME=VALUE", collect, [])
    .addHelpText(
      "after",
      `\nExample:\n  ${context.program} volume create -o type=nfs -o o=addr=10.0.0.5,rw -o device=:/exports/data data`,
    )
    .action(async (name: string | undefined, flags: Flags) => {
      const { volumes } = await context.engine();
      const spec = {
        name: name ?? "",
        driver: flags.driver,
        options: parseLabels(flags.opt),
        labels: parseLabels(flags.label),
      };
      print(context, (await volumes.create(spec, { signal: context.signal })).name);
    });
}
