import type { Command } from "commander";
import type { CliContext } from "../../context.ts";
import { warn } from "../../context.ts";
import { forEach } from "../../each.ts";
import { addLimitOptions, collect } from "../../options/container.ts";
import { type ContainerFlags, parseResources, parseRestart } from "../../options/container-spec.ts";
import { parsePublish } from "../../options/ports.ts";

export function define(command: Command, context: CliContext): void {
  command.argument("<container...>", "names or ids");
  addLimitOptions(command);
  command
    .option("--restart <policy>", "no, on-failure[:N], always, unless-stopped")
    .option("--restart-on-unhealthy", "restart also when the health check fails")
    .option("-p, --publish <port>", "publish these ports instead of the present ones", collect, [])
    .option("--publish-none", "publish no ports any more")
    .action(async (names: string[], flags: ContainerFlags) => {
      const { containers } = await context.engine();
      const resources = Object.fromEntries(
        Object.entries(parseResources(flags)).filter(
          ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
        ),
      );
      const ports = flags["publish"] as string[];
      const change = {
        resources,
        restart:
          flags["restart"] || flags["restartOnUnhealthy"]
            ? parseRestart(flags["restart"] as string, flags["restartOnUnhealthy"] === true)
            : undefined,
        ports: ports.length > 0 ? ports.flatMap(parsePublish) : flags["publishNone"] ? [] : undefined,
      };
      await forEach(context, names, async name => {
        const { warnings } = await containers.update(name, change, { signal: context.signal });
        for (const warning of warnings) warn(context, warning);
        return undefined;
      });
    });
}
