import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import type { ContainerSpec } from "../../../model/container.ts";
import { type CliContext, type CliEngine, print, warn } from "../../context.ts";
import { withImage } from "../../ensure-image.ts";
import { ExitWith } from "../../exit.ts";
import { addContainerOptions } from "../../options/container.ts";
import { type ContainerFlags, toContainerSpec } from "../../options/container-spec.ts";
import { forwardSignals } from "../../signals.ts";
import { joinSession } from "../../terminal.ts";
import { claimCidFile } from "./cidfile.ts";

export function define(command: Command, context: CliContext): void {
  addContainerOptions(command)
    .option("-d, --detach", "run in the background, print the id")
    .option("--detach-keys <keys>", "keys that leave the container running", "ctrl-p,ctrl-q")
    .option(
      "-a, --attach <stream>",
      "stdin, stdout or stderr",
      (value: string, all: string[]) => [...all, value.toLowerCase()],
      [] as string[],
    )
    .option("--no-sig-proxy", "do not pass signals on to the container")
    .addHelpText(
      "after",
      `
Examples:
  ${context.program} run --rm -it debian:bookworm bash
  ${context.program} run -d --name web -p 8080:80 --restart always nginx
  ${context.program} run --rm -v data:/data -m 256m busybox df -h /data`,
    )
    .action((image: string, args: string[], flags: ContainerFlags) => run(context, image, args, flags));
}

async function run(context: CliContext, image: string, args: string[], flags: ContainerFlags): Promise<void> {
  const spec = toContainerSpec(image, args, flags, context);
  const detached = flags["detach"] === true;
  if (spec.tty && spec.openStdin && !detached && !context.stdin.isTTY) {
    throw new BerthError("invalid", "-t with -i needs a terminal, and the input is none", {
      hint: "leave out -t when piping into the container",
    });
  }
  const attach = (flags["attach"] ?? []) as string[];
  if (attach.length > 0) spec.openStdin = spec.stdinOnce = spec.openStdin || attach.includes("stdin") || undefined;
  const engine = await context.engine();
  const id = await createContainer(context, engine, spec, flags);
  if (detached) {
    await startNew(engine, id, spec, context.signal);
    print(context, id);
    return;
  }
  const streams = attach.length > 0 ? attach : ["stdout", "stderr", ...(spec.openStdin ? ["stdin"] : [])];
  throw new ExitWith(await runAttached(context, engine, id, spec, streams, flags));
}

/** Makes the container, fetching the image where it is missing; shared with `create`. */
export async function createContainer(
  context: CliContext,
  engine: CliEngine,
  spec: ContainerSpec,
  flags: ContainerFlags,
): Promise<string> {
  const cidFile = claimCidFile(flags["cidfile"] as string | undefined, context.cwd);
  const fetch = {
    pull: (flags["pull"] ?? "missing") as "always" | "missing" | "never",
    quiet: flags["quiet"] === true,
    platform: spec.platform,
  };
  const { id, warnings } = await withImage(context, engine, spec.image, fetch, () =>
    engine.containers.create(spec, { signal: context.signal }),
  );
  cidFile?.(id);
  for (const warning of warnings) warn(context, warning);
  return id;
}

/** Starts a new container; with --rm nothing is left of one that could not start. */
export async function startNew(
  engine: CliEngine,
  id: string,
  spec: Pick<ContainerSpec, "autoRemove">,
  signal: AbortSignal,
): Promise<void> {
  try {
    await engine.containers.start(id, { signal });
  } catch (thrown) {
    // As docker: with --rm nothing is left of a container that could not start.
    if (spec.autoRemove) await engine.containers.remove(id, { force: true, volumes: true }).catch(() => undefined);
    throw thrown;
  }
}

/** Starts a new container joined to this terminal; resolves to its exit code. */
export async function runAttached(
  context: CliContext,
  engine: CliEngine,
  id: string,
  spec: Pick<ContainerSpec, "autoRemove" | "tty">,
  streams: string[],
  flags: ContainerFlags,
): Promise<number> {
  const has = (name: string) => streams.includes(name);
  const registered = Promise.withResolvers<void>();
  const exit = engine.containers.wait(id, {
    condition: spec.autoRemove ? "removed" : "next-exit",
    onRegistered: registered.resolve,
  });
  exit.catch(registered.reject);
  const session = await engine.containers.attach(id, {
    stdin: has("stdin"),
    stdout: has("stdout"),
    stderr: has("stderr"),
    stream: true,
  });
  await registered.promise;
  const stopForwarding = spec.tty || flags["sigProxy"] === false ? () => {} : forwardSignals(context, engine, id);
  try {
    await startNew(engine, id, spec, context.signal);
    const result = await joinSession(context, session, {
      interactive: has("stdin"),
      tty: spec.tty === true,
      detachKeys: String(flags["detachKeys"]),
      resize: (rows, columns) => engine.containers.resize(id, rows, columns),
    });
    if (result === "detached") return 0;
    return (await exit).exitCode;
  } catch (thrown) {
    exit.catch(() => undefined);
    throw thrown;
  } finally {
    stopForwarding();
    await session[Symbol.asyncDispose]();
  }
}
