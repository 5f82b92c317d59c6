import type { Command } from "commander";
import { shortId } from "../../../base/ids.ts";
import { type CliContext, print } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { keepImage, matchesReference, splitName } from "../../output/image-names.ts";
import { printRows } from "../../output/rows.ts";
import { ago, humanSize } from "../../output/units.ts";

interface Flags {
  all?: boolean;
  quiet?: boolean;
  digests?: boolean;
  trunc: boolean;
  filter: string[];
  format?: string;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("[name]", "only this repository or name")
    .option("-a, --all", "also images with no name that others stand on")
    .option("-q, --quiet", "ids only")
    .option("--digests", "with digests")
    .option("-f, --filter <filter>", "dangling=true, label=…, reference=…", collect, [])
    .option("--no-trunc", "whole ids")
    .option("--format <format>", "table, json, or a Go template")
    .action((name: string | undefined, flags: Flags) => list(context, name, flags));
}

async function list(context: CliContext, name: string | undefined, flags: Flags): Promise<void> {
  const all = await (await context.engine()).images.list({ signal: context.signal });
  const now_ms = context.clock.now_ms();
  const rows = all
    .filter(image => keepImage(image, flags.filter))
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt))
    .flatMap(image => (image.tags.length > 0 ? image.tags : [""]).map(tag => ({ image, tag })))
    .filter(({ tag }) => name === undefined || matchesReference(tag, name))
    .map(({ image, tag }) => ({
      ID: flags.trunc ? shortId(image.id) : image.id,
      ...splitName(tag),
      Digest: image.repoDigests[0]?.split("@")[1] ?? "<none>",
      CreatedSince: ago(image.createdAt, now_ms),
      CreatedAt: image.createdAt,
      Size: humanSize(image.size_bytes),
    }));
  if (flags.quiet) {
    for (const id of new Set(rows.map(row => row.ID))) print(context, id);
    return;
  }
  printRows(context, rows, flags.format, [
    ["REPOSITORY", "Repository"],
    ["TAG", "Tag"],
    ...(flags.digests ? ([["DIGEST", "Digest"]] as [string, string][]) : []),
    ["IMAGE ID", "ID"],
    ["CREATED", "CreatedSince"],
    ["SIZE", "Size"],
  ]);
}
