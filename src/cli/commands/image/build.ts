import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { type Command, Option } from "commander";
import type { RemoteBuilder } from "../../../api/builder/remote-builder.ts";
import type { BuildInput, BuildResult } from "../../../ports/build.ts";
import { type CliContext, print } from "../../context.ts";
import { type BuildFlags, toBuildInput } from "../../options/build.ts";
import { collect } from "../../options/container.ts";
import { BuildDisplay } from "../../output/build-display.ts";
import { openStdinContext } from "../../stdin-context.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<context>", "directory, URL of a git repository or tar, or - for a tar or Dockerfile on stdin")
    .option("-f, --file <path>", "Dockerfile (default: Dockerfile in the context; - for stdin)")
    .option("-t, --tag <name>", "name of the image", collect, [])
    .option("--target <stage>", "build this stage")
    .option("--build-arg <pair>", "value for an ARG: NAME=VALUE, or NAME to pass on yours", collect, [])
    .option("--build-context <pair>", "further context NAME=DIRECTORY|URL|docker-image://NAME", collect, [])
    .option("--secret <spec>", "id=NAME[,src=FILE|,env=VARIABLE]: for RUN --mount=type=secret", collect, [])
    .option("--ssh <spec>", "default or ID=SOCKET: for RUN --mount=type=ssh", collect, [])
    .option("--label <pair>", "label NAME=VALUE", collect, [])
    .option("--annotation <pair>", "annotation of the manifest", collect, [])
    .option("-o, --output <spec>", "type=image|docker|oci|tar|local[,dest=PATH], or a directory", collect, [])
    .option("--push", "send the image to its registry")
    .option("--load", "keep the image here (it always is)")
    .option("--no-cache", "run every step")
    .option("--no-cache-filter <stage>", "run every step of this stage", collect, [])
    .option("--cache-from <location>", "type=registry,ref=NAME, type=local,src=DIR, or an image", collect, [])
    .option("--cache-to <location>", "type=registry,ref=NAME, type=local,dest=DIR, or type=inline", collect, [])
    .option("--pull", "ask the registry for newer base images")
    .option("--platform <platform>", "the host's own")
    .option("--network <mode>", "network of RUN steps: default, host, none")
    .option("--add-host <entry>", "HOST:ADDRESS", collect, [])
    .option("--shm-size <size>", "size of /dev/shm in RUN steps")
    .option("--ulimit <limit>", "NAME=SOFT[:HARD]", collect, [])
    .option("-m, --memory <size>", "memory limit of RUN steps")
    .option("--isolated", "in an engine root of its own: own store, cache and networks")
    .option("--iidfile <file>", "write the image's id to this file")
    .option("--metadata-file <file>", "write what was built to this file, as JSON")
    .option("-q, --quiet", "print only the image's id")
    .option("--print", "show the resolved graph as JSON and build nothing")
    .addOption(
      new Option("--progress <kind>", "how progress is shown").choices(["auto", "plain", "tty"]).default("auto"),
    )
    .addHelpText(
      "after",
      `
Examples:
  ${context.program} build -t web .
  ${context.program} build -t registry.example.com/team/web:1.2 --push --build-arg VERSION=1.2 .
  ${context.program} build --target test --output type=local,dest=report .`,
    )
    .action((path: string, flags: BuildFlags) => build(context, path, flags));
}

async function build(context: CliContext, path: string, flags: BuildFlags): Promise<void> {
  const builder = await context.backend("builder");
  const stdin = path === "-" || flags.file === "-" ? await openStdinContext(context) : undefined;
  const input = toBuildInput(path, flags, context);
  if (stdin?.kind === "dockerfile") input.dockerfile = { text: stdin.text };
  if (flags.print) return print(context, JSON.stringify(await builder.print(input), null, 2));
  const result = await run(
    context,
    builder,
    { ...input, signal: context.signal },
    flags,
    stdin?.kind === "tar" ? stdin.stream : undefined,
  );
  if (flags.iidfile) writeFileSync(resolve(context.cwd, flags.iidfile), result.imageId);
  if (flags.metadataFile)
    writeFileSync(
      resolve(context.cwd, flags.metadataFile),
      JSON.stringify(
        { "containerimage.config.digest": result.imageId, "containerimage.digest": result.digest },
        null,
        2,
      ),
    );
  if (flags.quiet) return print(context, result.imageId);
  const names = flags.tag.length > 0 ? ` as ${flags.tag.join(", ")}` : "";
  context.stderr.write(
    `Built ${result.imageId.slice(7, 19)}${names}: ${result.steps} steps, ${result.cachedSteps} from the cache\n`,
  );
  if (!context.stdout.isTTY) print(context, result.imageId);
}

async function run(
  context: CliContext,
  builder: RemoteBuilder,
  input: BuildInput,
  flags: BuildFlags,
  tar: Readable | undefined,
): Promise<BuildResult> {
  if (flags.quiet) return await (tar ? builder.buildTar(tar, input) : builder.build(input));
  using display = new BuildDisplay(context, flags.progress);
  const watched = { ...input, onProgress: display.show };
  return await (tar ? builder.buildTar(tar, watched) : builder.build(watched));
}
