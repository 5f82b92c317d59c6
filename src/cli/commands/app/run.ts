import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import type { App } from "../../../model/app.ts";
import { dependenciesOf } from "../../../plan/dependencies.ts";
import type { RunOptions } from "../../../ports/apps.ts";
import { readContents } from "../../app/contents.ts";
import { AppDisplay } from "../../app/display.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { follow } from "../../app/follow.ts";
import { loadSelected } from "../../app/selection.ts";
import { type CliContext, print, warn } from "../../context.ts";
import { ExitWith } from "../../exit.ts";
import { collect } from "../../options/container.ts";
import { parseEnvironment, parseLabels, readEnvironmentFile } from "../../options/environment.ts";
import { parseVolume } from "../../options/mounts.ts";
import { parsePublish } from "../../options/ports.ts";
import { runAttached, startNew } from "../container/run.ts";

interface Flags extends AppFlags {
  build?: boolean;
  capAdd: string[];
  capDrop: string[];
  detach?: boolean;
  entrypoint?: string;
  env: string[];
  envFromFile: string[];
  interactive: boolean;
  label: string[];
  name?: string;
  tty: boolean;
  deps: boolean;
  publish: string[];
  pull?: "always" | "missing" | "never";
  quiet?: boolean;
  rm?: boolean;
  servicePorts?: boolean;
  useAliases?: boolean;
  user?: string;
  volume: string[];
  workdir?: string;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(
    command
      .argument("<service>", "name of the service")
      .argument("[command...]", "program and arguments, instead of the service's")
      .passThroughOptions(),
    { short: false },
  )
    .option("--build", "build the image also where it exists")
    .option("--cap-add <capability>", "add a capability", collect, [])
    .option("--cap-drop <capability>", "drop a capability", collect, [])
    .option("-d, --detach", "run in the background, print the name")
    .option("--entrypoint <command>", "instead of the image's entrypoint")
    .option("-e, --env <pair>", "environment variable", collect, [])
    .option("--env-from-file <file>", "file of environment variables", collect, [])
    .option("-i, --interactive", "keep stdin open (it is)", true)
    .option("--no-interactive", "do not pass on stdin")
    .option("-l, --label <pair>", "label NAME=VALUE", collect, [])
    .option("--name <name>", "name of the container")
    .option("-t, --tty", "give it a terminal (it has one where this is one)", true)
    .option("-T, --no-tty", "without a terminal")
    .option("--no-deps", "do not bring up what the service depends on")
    .option("-p, --publish <port>", "publish a port, [ADDRESS:][HOSTPORT:]PORT", collect, [])
    .option("--pull <when>", "always, missing or never")
    .option("-q, --quiet", "do not show how the dependencies come up")
    .option("--rm", "remove the container when it has ended")
    .option("-P, --service-ports", "publish the service's ports")
    .option("--use-aliases", "answer to the service's names in its networks")
    .option("-u, --user <user>", "user[:group]")
    .option("-v, --volume <mount>", "mount a volume or host path, SOURCE:TARGET[:ro]", collect, [])
    .option("-w, --workdir <path>", "working directory")
    .addHelpText(
      "after",
      `\nExamples:\n  ${context.program} app run --rm web python manage.py migrate\n  ${context.program} app run --rm -it --entrypoint sh db`,
    )
    .action((service: string, args: string[], flags: Flags) => run(context, service, args, flags));
}

async function run(context: CliContext, service: string, args: string[], flags: Flags): Promise<void> {
  const { app } = await loadSelected(context, flags, [service]);
  const found = app.services[service];
  if (!found)
    throw new BerthError("not_found", `${app.name} has no service ${service}`, {
      hint: `it has ${Object.keys(app.services).sort().join(", ")}`,
    });
  if (flags.deps) await startDependencies(context, app, service, flags);
  const isTerminal = context.stdin.isTTY === true && context.stdout.isTTY === true;
  const tty = flags.tty && isTerminal && !flags.detach;
  const openStdin = flags.interactive && !flags.detach;
  const options = toRunOptions(context, app, args, { ...flags, tty, interactive: openStdin });
  const { id, name } = await make(context, app, service, options, flags.quiet);
  const engine = await context.engine();
  const spec = { tty, autoRemove: flags.rm };
  if (flags.detach) {
    await startNew(engine, id, spec, context.signal);
    return print(context, name);
  }
  const streams = ["stdout", "stderr", ...(openStdin ? ["stdin"] : [])];
  throw new ExitWith(
    await runAttached(context, engine, id, spec, streams, { detachKeys: "ctrl-p,ctrl-q", sigProxy: true }),
  );
}

/** What it depends on, as its conditions say: they are its dependencies' dependents' too. */
async function startDependencies(context: CliContext, app: App, service: string, flags: Flags): Promise<void> {
  const dependencies = Object.entries(dependenciesOf(app.services[service]!)).filter(([name]) => app.services[name]);
  if (dependencies.length === 0) return;
  const healthy = dependencies.some(([, { condition }]) => condition === "service_healthy");
  const events = (await context.backend("apps")).up(app, {
    services: dependencies.map(([name]) => name),
    contents: readContents(app, context),
    wait: healthy ? "healthy" : "started",
    signal: context.signal,
  });
  await follow(context, events, flags.quiet);
}

function toRunOptions(context: CliContext, app: App, args: string[], flags: Flags): RunOptions {
  return {
    command: args.length > 0 ? args : undefined,
    entrypoint: flags.entrypoint === undefined ? undefined : flags.entrypoint.split(/\s+/).filter(word => word !== ""),
    env: [
      ...flags.envFromFile.flatMap(path => readEnvironmentFile(path, context.cwd, context.environment)),
      ...parseEnvironment(flags.env, context.environment),
    ],
    labels: parseLabels(flags.label),
    name: flags.name,
    user: flags.user,
    workingDir: flags.workdir,
    tty: flags.tty,
    openStdin: flags.interactive,
    capAdd: flags.capAdd,
    capDrop: flags.capDrop,
    mounts: flags.volume.map(text => parseVolume(text, context.cwd)),
    ports: flags.publish.flatMap(parsePublish),
    servicePorts: flags.servicePorts,
    useAliases: flags.useAliases,
    autoRemove: flags.rm,
    contents: readContents(app, context),
    build: flags.build,
    pull: flags.pull,
    signal: context.signal,
  };
}

async function make(context: CliContext, app: App, service: string, options: RunOptions, quiet = false) {
  using display = quiet ? undefined : new AppDisplay(context);
  for await (const event of (await context.backend("apps")).run(app, service, options)) {
    if (event.type !== "container") {
      display?.show(event);
      continue;
    }
    for (const warning of event.warnings) warn(context, warning);
    return event;
  }
  throw new BerthError("internal", `running ${service} once: berthd made no container`);
}
