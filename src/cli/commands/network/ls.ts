import type { Command } from "commander";
import { shortId } from "../../../base/ids.ts";
import { type CliContext, print } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { parseFilters } from "../../options/filters.ts";
import { printRows } from "../../output/rows.ts";

interface Flags {
  quiet?: boolean;
  trunc: boolean;
  filter: string[];
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  command
    .option("-q, --quiet", "ids only")
    .option("-f, --filter <filter>", "name=…, driver=…, label=…", collect, [])
    .option("--no-trunc", "whole ids")
    .option("--format <format>", "table, json, or a Go template")
    .action(async (flags: Flags) => {
      const found = await (await context.engine()).networks.list({ filters: parseFilters(flags.filter) });
      const rows = found.map(network => ({
        ID: flags.trunc ? shortId(network.id) : network.id,
        Name: network.name,
        Driver: network.driver,
        Scope: "local",
        Subnets: network.pools.map(pool => pool.subnet).join(", "),
      }));
      if (flags.quiet) {
        for (const row of rows) print(context, row.ID);
        return;
      }
      printRows(context, rows, flags.format, [
        ["NETWORK ID", "ID"],
        ["NAME", "Name"],
        ["DRIVER", "Driver"],
        ["SUBNETS", "Subnets"],
      ]);
    });
}
