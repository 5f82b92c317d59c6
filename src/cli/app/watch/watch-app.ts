import { readFileSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { asBerthError, BerthError } from "../../../base/errors.ts";
import { IgnoreRules, parseIgnoreFile } from "../../../build/match/ignore.ts";
import type { App } from "../../../model/app.ts";
import type { Service, WatchRule } from "../../../model/service.ts";
import type { CliContext } from "../../context.ts";
import { formatError } from "../../exit.ts";
import { readContents } from "../contents.ts";
import { follow } from "../follow.ts";
import type { MadeTask } from "../tasks.ts";
import { runIn, sync } from "./sync.ts";
import { type Changes, settle_ms, skipper, WatchedTree } from "./tree.ts";

interface Watched {
  service: Service;
  rule: WatchRule;
  tree: WatchedTree;
}

/** Leftovers of editors and version control, as docker compose leaves them out. */
const neverWatched = ["**/.git", "**/*~", "**/.*.sw?", "**/.#*", "**/#*#", "**/.idea", "**/4913"];

/** Follows the files of `develop.watch` until aborted. Failures of one change are told, and the next one is tried again. */
export async function watchApp(context: CliContext, app: App, services: string[]): Promise<void> {
  const chosen = Object.values(app.services).filter(({ name }) => services.length === 0 || services.includes(name));
  const rules = chosen.flatMap(service => service.watch.map(rule => ({ service, rule })));
  if (rules.length === 0)
    throw new BerthError("invalid", `no service of ${app.name} says what to watch`, {
      hint: "add develop.watch to a service",
    });
  let wake = Promise.withResolvers<void>();
  using stack = new DisposableStack();
  const watched = rules.map(({ service, rule }): Watched => {
    const tree = new WatchedTree(rule.path, skipsOf(service, rule), () => wake.resolve());
    return { service, rule, tree: stack.use(tree) };
  });
  const onAbort = () => wake.resolve();
  context.signal.addEventListener("abort", onAbort);
  stack.defer(() => context.signal.removeEventListener("abort", onAbort));
  for (const { service, rule, tree } of watched) {
    if (!rule.initialSync || !rule.action.startsWith("sync")) continue;
    await sync(context, await runningTasks(context, app, service), rule, { changed: tree.files(), removed: [] });
  }
  const places = [...new Set(rules.map(({ rule }) => rule.path))];
  context.stderr.write(
    `Watching ${places.map(path => relative(context.cwd, path) || ".").join(", ")}; Ctrl-C ends it.\n`,
  );
  while (!context.signal.aborted) {
    await wake.promise;
    if (context.signal.aborted) return;
    await context.clock.sleep(settle_ms, { signal: context.signal }).catch(() => undefined);
    wake = Promise.withResolvers<void>();
    const changed = watched.map(each => ({ ...each, changes: each.tree.changes() }));
    await applyAll(
      context,
      app,
      changed.filter(({ changes }) => changes.changed.length + changes.removed.length > 0),
    );
  }
}

async function applyAll(context: CliContext, app: App, all: (Watched & { changes: Changes })[]): Promise<void> {
  for (const [service, list] of Map.groupBy(all, ({ service }) => service)) {
    try {
      // A rebuild brings everything along.
      const rebuild = list.find(({ rule }) => rule.action === "rebuild");
      if (rebuild) await rebuildService(context, app, service, rebuild.changes);
      else {
        for (const { rule, changes } of list) await apply(context, app, service, rule, changes);
        if (list.some(({ rule }) => rule.action === "restart" || rule.action === "sync+restart")) {
          const apps = await context.backend("apps");
          await follow(context, apps.restart(app.name, { services: [service.name], signal: context.signal }), true);
          context.stderr.write(`${service.name}: restarted\n`);
        }
      }
    } catch (thrown) {
      if (context.signal.aborted) return;
      context.stderr.write(formatError(context.program, asBerthError(thrown)));
    }
  }
}

async function apply(
  context: CliContext,
  app: App,
  service: Service,
  rule: WatchRule,
  changes: Changes,
): Promise<void> {
  if (!rule.action.startsWith("sync")) return;
  const tasks = await runningTasks(context, app, service);
  await sync(context, tasks, rule, changes);
  context.stderr.write(`${service.name}: synced ${summary(rule, changes)}\n`);
  if (rule.action !== "sync+exec" || !rule.exec) return;
  const { command, environment = {}, ...how } = rule.exec;
  const env = Object.entries(environment).map(pair => pair.join("="));
  for (const { containerId, name } of tasks) {
    const { exitCode, output } = await runIn(context, containerId, { ...how, args: command, env });
    if (exitCode !== 0) context.stderr.write(`${name}: '${command.join(" ")}' ended with ${exitCode}: ${output}\n`);
  }
}

async function rebuildService(context: CliContext, app: App, service: Service, changes: Changes): Promise<void> {
  context.stderr.write(
    `${service.name}: rebuilding (${[...changes.changed, ...changes.removed].length} files changed)\n`,
  );
  const events = (await context.backend("apps")).up(app, {
    services: [service.name],
    noDependencies: true,
    build: true,
    contents: readContents(app, context),
    message: "rebuilt by watch",
    waitForOthers: true,
    signal: context.signal,
  });
  await follow(context, events);
}

async function runningTasks(context: CliContext, app: App, service: Service): Promise<MadeTask[]> {
  const tasks = await (await context.backend("apps")).ps(app.name, {
    services: [service.name],
    signal: context.signal,
  });
  return tasks.filter((task): task is MadeTask => task.containerId !== undefined && task.state === "running");
}

function summary({ path }: WatchRule, { changed, removed }: Changes): string {
  const names = [...changed, ...removed.map(name => `${name} (removed)`)].map(name => relative(path, name) || name);
  return names.length <= 3 ? names.join(", ") : `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`;
}

/** The rule's own patterns, those of the build's .dockerignore, and what nobody wants. */
function skipsOf(service: Service, rule: WatchRule) {
  const own = new IgnoreRules(
    [...neverWatched, ...(rule.ignore ?? []).flatMap(text => (text.includes("/") ? [text] : [text, `**/${text}`]))],
    `develop.watch of ${service.name}`,
  );
  const include = rule.include?.length
    ? new IgnoreRules(
        rule.include.flatMap(text => [text, `**/${text}`]),
        `develop.watch of ${service.name}`,
      )
    : undefined;
  const inRule = skipper(rule.path, [own], include);
  const context = service.build?.context;
  const rules = context !== undefined && isAbsolute(context) ? dockerIgnore(context) : undefined;
  if (!rules || context === undefined) return inRule;
  const inContext = skipper(context, [rules], undefined);
  return (path: string, isDirectory: boolean) =>
    inRule(path, isDirectory) || (!relative(context, path).startsWith("..") && inContext(path, isDirectory));
}

function dockerIgnore(context: string): IgnoreRules | undefined {
  try {
    return parseIgnoreFile(readFileSync(join(context, ".dockerignore"), "utf8"));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}
