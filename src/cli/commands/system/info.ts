import type { Command } from "commander";
import { type CliContext, print, warn } from "../../context.ts";
import { compileTemplate } from "../../output/template.ts";
import { binarySize } from "../../output/units.ts";

export function define(command: Command, context: CliContext): void {
  command.option("-f, --format <format>", "json, or a Go template").action(async (flags: { format?: string }) => {
    const info = await (await context.engine()).system.info({ signal: context.signal });
    if (flags.format === "json") return print(context, JSON.stringify(info, null, 2));
    if (flags.format !== undefined) return print(context, compileTemplate(flags.format)(info));
    const { containers, runtime } = info;
    const lines: [string, string][] = [
      ["Host", info.hostname],
      ["System", `${info.operatingSystem}, kernel ${info.kernel}, ${info.architecture}`],
      ["Size", `${info.cpus} cores, ${binarySize(info.memory_bytes)}`],
      ["Berth", info.version],
      ["Runtime", `${runtime.name} ${runtime.version} (${runtime.reason})`],
      ["Monitor", runtime.monitor],
      ["Storage", `${info.storageDriver} in ${info.root}`],
      ["Cgroups", `v${info.cgroupVersion}, driver ${info.cgroupDriver}`],
      ["Seccomp", info.seccomp ? "default profile" : "the kernel has none"],
      [
        "Containers",
        `${containers.total}: ${containers.running} running, ${containers.paused} paused, ${containers.stopped} stopped`,
      ],
      ["Images", String(info.images)],
    ];
    for (const [name, value] of lines) print(context, `${`${name}:`.padEnd(12)}${value}`);
    for (const warning of info.warnings) warn(context, warning);
  });
}
