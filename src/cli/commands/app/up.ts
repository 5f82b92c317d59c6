import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import type { App } from "../../../model/app.ts";
import { renderPlan } from "../../../plan/render.ts";
import type { AppPlan, UpOptions } from "../../../ports/apps.ts";
import { readContents } from "../../app/contents.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { follow } from "../../app/follow.ts";
import { showLogs } from "../../app/logs.ts";
import { parseScale } from "../../app/scale.ts";
import { loadSelected } from "../../app/selection.ts";
import { confirm } from "../../confirm.ts";
import type { CliContext } from "../../context.ts";
import { collect } from "../../options/container.ts";
import { parseSeconds_ms } from "../../options/seconds.ts";

interface Flags extends AppFlags {
  detach?: boolean;
  wait?: boolean;
  timeout?: string;
  build?: boolean | undefined;
  pull?: "always" | "missing" | "never";
  scale: string[];
  forceRecreate?: boolean;
  deps: boolean;
  yes?: boolean;
  force?: boolean;
  message?: string;
  quiet?: boolean;
}

export function define(command: Command, context: CliContext): void {
  addUpOptions(command)
    .option("-d, --detach", "do not show logs afterwards (logs are shown on a terminal)")
    .option("--wait", "until all is healthy")
    .option("-t, --timeout <seconds>", "give up following after so long")
    .option("-y, --yes", "do not ask, also where data is lost")
    .option("--force", "also an app file that is older than what runs")
    .option("-q, --quiet", "print only problems")
    .addHelpText(
      "after",
      `\nExamples:\n  ${context.program} up\n  ${context.program} up -d --wait --set replicas=3\n  ${context.program} -f app.yaml -p shop up web`,
    )
    .action((services: string[], flags: Flags) => up(context, services, flags));
}

/** What `plan` and `up` share. */
export function addUpOptions(command: Command): Command {
  return addAppOptions(command.argument("[service...]", "only these and what they depend on"))
    .option("--build", "build images also where they exist")
    .option("--no-build", "build no images")
    .option("--pull <when>", "always, missing or never")
    .option("--scale <pair>", "number of tasks, SERVICE=N", collect, [])
    .option("--force-recreate", "replace all tasks, changed or not")
    .option("--no-deps", "only the named services")
    .option("-m, --message <text>", "why, for the history");
}

export function toUpOptions(app: App, services: string[], flags: Flags, context: CliContext): UpOptions {
  return {
    services: services.length > 0 ? services : undefined,
    noDependencies: !flags.deps,
    contents: readContents(app, context),
    message: flags.message,
    build: flags.build === true,
    noBuild: flags.build === false,
    pull: flags.pull,
    scale: parseScale(flags.scale),
    forceRecreate: flags.forceRecreate,
    force: flags.force,
    signal: context.signal,
  };
}

async function up(context: CliContext, services: string[], flags: Flags): Promise<void> {
  const { app } = await loadSelected(context, flags, services);
  const apps = await context.backend("apps");
  const options = toUpOptions(app, services, flags, context);
  const { plan } = await apps.plan(app, options);
  if (!flags.quiet) context.stderr.write(renderPlan(plan as never, { keep: false }));
  const lost = plan.steps.filter(step => step.destroys !== undefined);
  if (lost.length > 0 && !flags.yes) {
    if (!context.stdin.isTTY) throw destructive(plan);
    await confirm(context, `Data will be lost: ${lost.map(step => step.destroys).join("; ")}.`);
  }
  const timeout_ms = parseSeconds_ms(flags.timeout, "--timeout");
  const wait = flags.wait ? "healthy" : "started";
  const done = await follow(
    context,
    apps.up(app, { ...options, allowDestructive: lost.length > 0, basedOn: plan.fromVersion, wait, timeout_ms }),
    flags.quiet,
  );
  if (!flags.quiet && done !== undefined)
    context.stderr.write(`${app.name}: ${done.outcome}${done.message ? `: ${done.message}` : ""}\n`);
  if (flags.detach || flags.quiet || !context.stdout.isTTY) return;
  context.stderr.write(`Showing logs; Ctrl-C leaves the app running ('${context.program} down' stops it).\n`);
  await showLogs(context, app.name, services, { follow: true, tail: 10 });
}

function destructive(plan: AppPlan): BerthError {
  return new BerthError("conflict", `bringing up ${plan.app} would lose data:\n${renderPlan(plan as never)}`, {
    hint: "add --yes if that is meant",
  });
}
