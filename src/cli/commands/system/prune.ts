import type { Command } from "commander";
import { confirm } from "../../confirm.ts";
import { type CliContext, print } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { parseFilters } from "../../options/filters.ts";
import { humanSize } from "../../output/units.ts";

interface Flags {
  all?: boolean;
  volumes?: boolean;
  force?: boolean;
  filter: string[];
}

export function define(command: Command, context: CliContext): void {
  command
    .option("-a, --all", "all images that no container uses, not only those without a name")
    .option("--volumes", "anonymous volumes too")
    .option("-f, --force", "do not ask")
    .option("--filter <filter>", "until=24h, label=…", collect, [])
    .action((flags: Flags) => prune(context, flags));
}

async function prune(context: CliContext, flags: Flags): Promise<void> {
  const what = [
    "stopped containers",
    "unused networks",
    flags.all ? "unused images" : "images without a name",
    ...(flags.volumes ? ["anonymous volumes with their data"] : []),
  ];
  if (!flags.force) await confirm(context, `This will remove all ${what.join(", ")}.`);
  const engine = await context.engine();
  const options = { filters: parseFilters(flags.filter), signal: context.signal };
  const containers = await engine.containers.prune(options);
  const networks = await engine.networks.prune(options);
  const volumes = flags.volumes ? await engine.volumes.prune(options) : { removed: [], reclaimed_bytes: 0 };
  const images = await engine.images.prune({
    ...options,
    filters: { ...options.filters, ...(flags.all ? { dangling: ["false"] } : {}) },
  });
  for (const id of containers.removed) print(context, `container ${id}`);
  for (const name of networks) print(context, `network ${name}`);
  for (const name of volumes.removed) print(context, `volume ${name}`);
  for (const id of images.deleted) print(context, `image ${id}`);
  print(
    context,
    `Reclaimed ${humanSize(containers.reclaimed_bytes + volumes.reclaimed_bytes + images.reclaimed_bytes)}`,
  );
}
