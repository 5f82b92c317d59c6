import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import type { AddressPool } from "../../../model/network.ts";
import { type CliContext, print } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { parseLabels } from "../../options/environment.ts";

interface Flags {
  driver: string;
  subnet: string[];
  gateway: string[];
  ipRange: string[];
  auxAddress: string[];
  internal?: boolean;
  ipv6?: boolean;
  attachable?: boolean;
  opt: string[];
  label: string[];
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("<name>", "name of the network")
    .option("-d, --driver <driver>", "network driver", "bridge")
    .option("--subnet <cidr>", "subnet, e.g. 10.5.0.0/24; may be given for IPv4 and IPv6", collect, [])
    .option("--gateway <address>", "gateway of the subnet", collect, [])
    .option("--ip-range <cidr>", "part of the subnet to take addresses from", collect, [])
    .option("--aux-address <pair>", "address never handed out, NAME=ADDRESS", collect, [])
    .option("--internal", "no way out to other networks")
    .option("--ipv6", "with IPv6 addresses")
    .option("--attachable", "accepted for docker's sake")
    .option("-o, --opt <pair>", "option of the driver", collect, [])
    .option("--label <pair>", "label NAME=VALUE", collect, [])
    .action((name: string, flags: Flags) => create(context, name, flags));
}

async function create(context: CliContext, name: string, flags: Flags): Promise<void> {
  const { networks } = await context.engine();
  const network = await networks.create({
    name,
    driver: flags.driver,
    internal: flags.internal,
    enableIpv6: flags.ipv6,
    attachable: flags.attachable,
    pools: toPools(flags),
    options: parseLabels(flags.opt),
    labels: parseLabels(flags.label),
  });
  print(context, network.id);
}

function toPools(flags: Flags): AddressPool[] | undefined {
  const aux = parseLabels(flags.auxAddress);
  if (flags.subnet.length === 0) {
    if (flags.gateway.length + flags.ipRange.length + flags.auxAddress.length > 0) {
      throw new BerthError("invalid", "--gateway, --ip-range and --aux-address need a --subnet");
    }
    return undefined;
  }
  const sameFamily = (a: string, b: string) => a.includes(":") === b.includes(":");
  return flags.subnet.map(subnet => ({
    subnet,
    gateway: flags.gateway.find(gateway => sameFamily(gateway, subnet)),
    ipRange: flags.ipRange.find(range => sameFamily(range, subnet)),
    auxAddresses: Object.fromEntries(Object.entries(aux).filter(([, address]) => sameFamily(address, subnet))),
  }));
}
