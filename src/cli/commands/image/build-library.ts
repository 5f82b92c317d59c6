import { join, resolve } from "node:path";
import type { Command } from "commander";
import { asBerthError, BerthError } from "../../../base/errors.ts";
import { type CliContext, print } from "../../context.ts";
import { ExitWith, formatError } from "../../exit.ts";
import { checkImage } from "../../library/check-image.ts";
import { type LibraryImage, localNames, readLibrary, registryNames } from "../../library/library.ts";
import { BuildDisplay } from "../../output/build-display.ts";
import { withDisplay } from "../../output/pull-progress.ts";

interface Flags {
  from?: string;
  push?: string;
  check?: boolean;
  tagPrefix: string;
  cache: boolean;
  quiet?: boolean;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("[name...]", "which; default all: busybox, debian, redis, nginx, postgres, node, tomcat")
    .option("--check", "run each image and see that it does its work")
    .option("--push <registry>", "send them there; a path may follow: registry.example.com/library")
    .option("--tag-prefix <prefix>", "before each name here, e.g. team/", "")
    .option("--from <dir>", "another folder of Dockerfiles with a library.json")
    .option("--no-cache", "with the newest packages: run every step")
    .option("-q, --quiet", "show no progress")
    .addHelpText(
      "after",
      `
Examples:
  ${context.program} image build-library --check
  ${context.program} image build-library redis nginx --push 127.0.0.1:5000`,
    )
    .action((names: string[], flags: Flags) => buildLibrary(context, names, flags));
}

/** One after the other: a failure of one does not keep the others from being built. */
async function buildLibrary(context: CliContext, names: string[], flags: Flags): Promise<void> {
  const directory = flags.from === undefined ? context.libraryDirectory : resolve(context.cwd, flags.from);
  if (directory === undefined)
    throw new BerthError("unsupported", `${context.program} brings no folder of Dockerfiles`, {
      hint: "name one with --from DIR",
    });
  const failed: string[] = [];
  for (const image of readLibrary(directory, names)) {
    try {
      print(context, await buildOne(context, image, join(directory, image.name), flags));
    } catch (thrown) {
      if (context.signal.aborted) throw thrown;
      context.stderr.write(formatError(context.program, asBerthError(thrown)));
      failed.push(image.name);
    }
  }
  if (failed.length === 0) return;
  context.stderr.write(`${context.program}: not done: ${failed.join(", ")}\n`);
  throw new ExitWith(1);
}

/** What was done, in one line. */
async function buildOne(context: CliContext, image: LibraryImage, path: string, flags: Flags): Promise<string> {
  const { images } = await context.engine();
  const { signal } = context;
  if (!flags.quiet) context.stderr.write(`=== ${image.name}\n`);
  if ((await images.find(image.bootstrap, { signal })) === undefined)
    await withDisplay(context, flags.quiet, onProgress => images.bootstrap(image.bootstrap, { onProgress, signal }));
  const local = localNames(image, flags.tagPrefix);
  const remote = flags.push === undefined ? [] : registryNames(image, flags.push);
  const start_ms = context.clock.now_ms();
  const imageId = await build(context, path, [...local, ...remote], flags);
  const said = [`${image.name}: ${imageId.slice(7, 19)} built in ${seconds(context, start_ms)}`];
  if (flags.check) {
    const check_ms = context.clock.now_ms();
    const { clock } = context;
    await checkImage(await context.engine(), imageId, image.check, { directory: join(path, "check"), clock, signal });
    said.push(`checked in ${seconds(context, check_ms)}`);
  }
  for (const name of remote)
    await withDisplay(context, flags.quiet, onProgress => images.push(name, { onProgress, signal }));
  if (remote.length > 0) said.push(`pushed as ${remote.join(", ")}`);
  return said.join(", ");
}

async function build(context: CliContext, path: string, tags: string[], flags: Flags): Promise<string> {
  const builder = await context.backend("builder");
  const input = { context: { kind: "directory" as const, path }, tags, noCache: !flags.cache, signal: context.signal };
  if (flags.quiet) return (await builder.build(input)).imageId;
  using display = new BuildDisplay(context, "auto");
  return (await builder.build({ ...input, onProgress: display.show })).imageId;
}

const seconds = ({ clock }: CliContext, since_ms: number) => `${((clock.now_ms() - since_ms) / 1000).toFixed(1)} s`;
