import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { oneTask } from "../../app/tasks.ts";
import { type CliContext, print } from "../../context.ts";

interface Flags extends AppFlags {
  index?: string;
  protocol: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("<service>", "name of the service").argument("[port]", "port in the container"))
    .option("--index <number>", "which task, where the service has several")
    .option("--protocol <protocol>", "tcp or udp", "tcp")
    .action(async (service: string, port: string | undefined, flags: Flags) => {
      const { ports } = await oneTask(context, flags, service, flags.index);
      const address = (host: string) => (host.includes(":") ? `[${host}]` : host || "0.0.0.0");
      if (port === undefined) {
        for (const item of ports)
          print(context, `${item.containerPort}/${item.protocol} -> ${address(item.hostAddress)}:${item.hostPort}`);
        return;
      }
      const [number, protocol = flags.protocol] = port.split("/");
      const found = ports.find(item => item.containerPort === Number(number) && item.protocol === protocol);
      if (!found) throw new BerthError("not_found", `${service} does not publish port ${number}/${protocol}`);
      print(context, `${address(found.hostAddress)}:${found.hostPort}`);
    });
}
