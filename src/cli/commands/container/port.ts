import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import { type CliContext, print } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container>", "name or id")
    .argument("[port]", "a port of the container, PORT[/tcp|udp]")
    .action(async (name: string, port: string | undefined) => {
      const { publishedPorts } = await (await context.engine()).containers.inspect(name);
      const wanted = port === undefined ? undefined : port.includes("/") ? port : `${port}/tcp`;
      const shown = publishedPorts.filter(
        item => wanted === undefined || `${item.containerPort}/${item.protocol}` === wanted,
      );
      if (wanted !== undefined && shown.length === 0)
        throw new BerthError("not_found", `container ${name} does not publish port ${wanted}`);
      for (const item of shown) {
        const host = `${item.hostAddress.includes(":") ? `[${item.hostAddress}]` : item.hostAddress || "0.0.0.0"}:${item.hostPort}`;
        print(context, wanted === undefined ? `${item.containerPort}/${item.protocol} -> ${host}` : host);
      }
    });
}
