import { existsSync, lstatSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { BerthError, isCode } from "../../../base/errors.ts";
import type { CliContext, CliEngine } from "../../context.ts";
import { packPath, renameEntries, unpackInto } from "../../tar-files.ts";

export interface CopyFlags {
  archive?: boolean;
  followLink?: boolean;
}

export interface Place {
  container: string | undefined;
  path: string;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("<source>", "CONTAINER:PATH, a local path, or - for a tar archive on stdin")
    .argument("<target>", "CONTAINER:PATH, a local path, or - for a tar archive on stdout")
    .option("-a, --archive", "keep owners and groups")
    .option("-L, --follow-link", "copy what a link points to")
    .addHelpText(
      "after",
      `\nExamples:\n  ${context.program} cp web:/etc/nginx/nginx.conf .\n  ${context.program} cp site/. web:/srv/www`,
    )
    .action((from: string, to: string, flags: CopyFlags) => copy(context, parsePlace(from), parsePlace(to), flags));
}

/** Copies into a container or out of it. */
export async function copy(context: CliContext, source: Place, target: Place, flags: CopyFlags): Promise<void> {
  const engine = await context.engine();
  if (source.container !== undefined && target.container === undefined)
    return copyOut(context, engine, source, target.path, flags);
  if (source.container === undefined && target.container !== undefined)
    return copyIn(context, engine, source.path, target, flags);
  throw new BerthError(
    "invalid",
    `cannot copy from ${source.path} to ${target.path}: one of the two must be in a container, the other a local path`,
  );
}

/** As docker: a colon makes it a container's path, unless it starts like a local one. */
export function parsePlace(text: string): Place {
  if (text === "-" || /^[./]/.test(text) || !text.includes(":")) return { container: undefined, path: text };
  const at = text.indexOf(":");
  return { container: text.slice(0, at), path: text.slice(at + 1) };
}

async function copyOut(
  context: CliContext,
  engine: CliEngine,
  source: Place,
  target: string,
  flags: CopyFlags,
): Promise<void> {
  const path = flags.followLink ? await followLink(engine, source) : source.path;
  const { stat, tar } = await engine.containers.readArchive(source.container!, path, { signal: context.signal });
  if (target === "-") return await pipeline(tar, context.stdout, { end: false });
  const local = resolve(context.cwd, target);
  const isDirectory = existsSync(local) && statSync(local).isDirectory();
  const contentsOnly = /(^|\/)\.$/.test(source.path);
  if (isDirectory)
    return await unpackInto(
      contentsOnly ? tar.pipe(renameEntries(stat.name, ".")) : tar,
      local,
      flags.archive === true,
    );
  if (target.endsWith("/"))
    throw new BerthError("not_found", `cannot copy to ${target}: the directory does not exist`, {
      hint: `mkdir ${target}`,
    });
  if (!existsSync(dirname(local)))
    throw new BerthError("not_found", `cannot copy to ${target}: ${dirname(local)} does not exist`);
  await unpackInto(tar.pipe(renameEntries(stat.name, basename(local))), dirname(local), flags.archive === true);
}

async function followLink(engine: CliEngine, source: Place): Promise<string> {
  const stat = await engine.containers.statPath(source.container!, source.path);
  return stat.linkTarget || source.path;
}

async function copyIn(
  context: CliContext,
  engine: CliEngine,
  source: string,
  target: Place,
  flags: CopyFlags,
): Promise<void> {
  const options = { signal: context.signal, copyOwner: flags.archive };
  if (source === "-")
    return engine.containers.writeArchive(target.container!, target.path, Readable.from(context.stdin), options);
  const local = resolve(context.cwd, source);
  if (!existsSync(local))
    throw new BerthError("not_found", `cannot copy ${source}: there is no such file or directory`);
  const isDirectory = (flags.followLink ? statSync(local) : lstatSync(local)).isDirectory();
  const { directory, name } = await placeInContainer(
    engine,
    target,
    basename(local),
    isDirectory,
    /(^|\/)\.$/.test(source),
  );
  await engine.containers.writeArchive(
    target.container!,
    directory,
    packPath(local, name, { followLink: flags.followLink === true, keepOwner: flags.archive === true }),
    options,
  );
}

/** Docker's rules for where the source lands: into a directory that exists, else under the target's own name. */
async function placeInContainer(
  engine: CliEngine,
  target: Place,
  sourceName: string,
  sourceIsDirectory: boolean,
  contentsOnly: boolean,
) {
  const directoryBit = 0x80000000;
  try {
    const stat = await engine.containers.statPath(target.container!, target.path);
    const real = stat.linkTarget || target.path;
    const resolved = stat.linkTarget ? await engine.containers.statPath(target.container!, real) : stat;
    if ((resolved.mode & directoryBit) !== 0) return { directory: real, name: contentsOnly ? "." : sourceName };
    if (sourceIsDirectory) throw new BerthError("conflict", `cannot copy a directory onto the file ${target.path}`);
    return { directory: dirname(real), name: basename(real) };
  } catch (thrown) {
    if (!isCode(thrown, "not_found")) throw thrown;
    if (target.path.endsWith("/") && !sourceIsDirectory) {
      throw new BerthError(
        "not_found",
        `cannot copy to ${target.path}: the directory does not exist in the container`,
        { cause: thrown },
      );
    }
    const path = target.path.replace(/\/+$/, "");
    return { directory: dirname(path), name: basename(path) };
  }
}
