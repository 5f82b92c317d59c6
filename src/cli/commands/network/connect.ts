import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import { collect } from "../../options/container.ts";

interface Flags {
  alias: string[];
  ip?: string;
  ip6?: string;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("<network>", "name or id")
    .argument("<container>", "name or id, running or not")
    .option("--alias <name>", "further name in the network", collect, [])
    .option("--ip <address>", "IPv4 address")
    .option("--ip6 <address>", "IPv6 address")
    .action(async (network: string, container: string, flags: Flags) => {
      const { networks } = await context.engine();
      await networks.connect(
        network,
        container,
        { aliases: flags.alias, ipv4: flags.ip, ipv6: flags.ip6 },
        { signal: context.signal },
      );
    });
}
