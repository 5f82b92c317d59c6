import { BerthError } from "../../base/errors.ts";
import type { App } from "../../model/app.ts";
import type { AppRecord, AppVersion, ServiceWish } from "../../model/app-record.ts";
import { canonicalJson } from "../../plan/canonical.ts";
import { withDependencies } from "../../plan/dependencies.ts";
import { describeChange, differences } from "../../plan/differences.ts";
import { makePlan } from "../../plan/make-plan.ts";
import type { Plan } from "../../plan/plan.ts";
import { wantedNetworks, wantedVolumes } from "../../plan/resources.ts";
import { wantedServices } from "../../plan/wanted.ts";
import type { UpOptions } from "../../ports/apps.ts";
import { slotNames } from "../orchestrate/slot-names.ts";
import type { ClusterState } from "../state.ts";
import { type AppFiles, fileNeeds, withoutContents } from "./files.ts";
import type { AppImages } from "./images.ts";
import { unknownService } from "./refuse.ts";

/** What an `up` would write: the next version and the record that follows it. */
export interface Candidate {
  before: AppRecord | undefined;
  record: AppRecord;
  version: AppVersion;
  /** Of this `up`; others stay at their versions. */
  services: string[];
}

export function chosenServices(app: App, options: Pick<UpOptions, "services" | "noDependencies">): string[] {
  const names = options.services?.length ? options.services : Object.keys(app.services);
  const missing = names.find(name => !app.services[name]);
  if (missing !== undefined) throw unknownService(app, missing);
  return options.noDependencies ? [...new Set(names)] : [...withDependencies(app, names)];
}

export function candidate(
  state: ClusterState,
  app: App,
  options: UpOptions,
  inputs: { files: AppFiles; images: Record<string, string>; user: string; now_ms: number },
): Candidate {
  const before = state.apps.get(app.name);
  const old = before && state.version(app.name, before.version);
  const services = chosenServices(app, options);
  const number = (before?.version ?? 0) + 1;
  const version: AppVersion = {
    number,
    app: withoutContents(app),
    who: options.who ?? inputs.user,
    at_ms: inputs.now_ms,
    message: options.message ?? "",
    diff: old && before?.wanted === "present" ? diffLines(old.app, withoutContents(app)) : ["the app is new"],
    images: inputs.images,
    secrets: inputs.files.secrets,
    configs: inputs.files.configs,
  };
  const present = before?.wanted === "present" ? before.services : {};
  const partial = (options.services?.length ?? 0) > 0;
  const wishes: Record<string, ServiceWish> = partial ? { ...present } : {};
  for (const name of services) wishes[name] = nextWish(present[name] ?? before?.services[name], number, options, name);
  const record: AppRecord = {
    name: app.name,
    version: number,
    wanted: "present",
    services: wishes,
    createdAt_ms: before?.createdAt_ms ?? inputs.now_ms,
    changedAt_ms: inputs.now_ms,
  };
  return { before, record, version, services };
}

function nextWish(old: ServiceWish | undefined, version: number, options: UpOptions, name: string): ServiceWish {
  const scale = options.scale?.[name];
  return {
    version,
    state: options.noStart ? (old?.state ?? "stopped") : "running",
    ...(scale === undefined ? {} : { scale }),
    forced: (old?.forced ?? 0) + (options.forceRecreate ? 1 : 0),
    starts: (old?.starts ?? 0) + 1,
  };
}

/** What differs between two versions, a line each. */
export function diffLines(from: App, to: App): string[] {
  const parts = (app: App) => ({
    services: app.services,
    networks: app.networks,
    volumes: app.volumes,
    secrets: app.secrets,
    configs: app.configs,
  });
  const longest = 200;
  const lines: string[] = [];
  for (const name of Object.keys(to.services)) if (!from.services[name]) lines.push(`service ${name} added`);
  for (const name of Object.keys(from.services)) if (!to.services[name]) lines.push(`service ${name} removed`);
  const common = (app: App, other: App) =>
    Object.fromEntries(Object.entries(app.services).filter(([name]) => other.services[name]));
  const changes = differences(
    { ...parts(from), services: common(from, to) },
    { ...parts(to), services: common(to, from) },
  );
  lines.push(...changes.map(describeChange));
  return lines.length > longest ? [...lines.slice(0, longest), `and ${lines.length - longest} more`] : lines;
}

export function planOf(
  state: ClusterState,
  next: Candidate,
  files: AppFiles,
  images: AppImages,
  warnings: string[],
): Plan {
  const { before, record, version } = next;
  const versions = (number: number) => (number === version.number ? version : state.version(record.name, number));
  const live = before?.wanted === "present" ? before : undefined;
  const old = live && state.version(live.name, live.version);
  const resources = resourcesOf(state, record, versions);
  return makePlan({
    before: live,
    after: record,
    versions,
    tasks: state.tasksOfApp(record.name).filter(({ status }) => status?.state !== "removed"),
    slotNames: wanted => slotNames(state, wanted),
    specHashOf: state.specHashOf,
    images: images.needs,
    files: fileNeeds(version.app, files, old && { ...old, contents: [] }),
    ...resources,
    warnings,
    hostOf: state.hosts.size > 1 ? () => undefined : undefined,
  });
}

/** Networks and volumes of the app: those recorded, and those that the record's services need. */
export function resourcesOf(
  state: ClusterState,
  record: AppRecord,
  versions: (number: number) => AppVersion | undefined,
) {
  const networks = { are: new Map(), wanted: new Map() } as Parameters<typeof makePlan>[0]["networks"];
  const volumes = { are: new Map(), wanted: new Map() } as Parameters<typeof makePlan>[0]["volumes"];
  for (const [name, found] of state.networks) if (found.app === record.name) networks.are.set(name, found);
  for (const [name, found] of state.volumes) if (found.app === record.name) volumes.are.set(name, found);
  if (record.wanted === "removed") return { networks, volumes };
  for (const { name, version } of wantedServices(record, versions).values()) {
    const app = versions(version)?.app;
    if (!app) continue;
    for (const [key, value] of wantedNetworks(app, [name])) networks.wanted.set(key, value);
    for (const [key, value] of wantedVolumes(app, [name])) volumes.wanted.set(key, value);
  }
  return { networks, volumes };
}

/** Refuses what is older than what runs: a plan made before another's `up`, or a file that is an earlier version of the app. */
export function refuseOlder(state: ClusterState, next: Candidate, options: UpOptions): void {
  const { before, version } = next;
  if (options.force || before?.wanted !== "present") return;
  if (options.basedOn !== undefined && options.basedOn < before.version) {
    const newest = state.version(before.name, before.version);
    throw new BerthError(
      "conflict",
      `${before.name} is at version ${before.version}${newest ? ` by ${newest.who}` : ""}; this plan was made from version ${options.basedOn}`,
      { hint: "plan again, or go on with --force" },
    );
  }
  const same = (other: AppVersion) =>
    canonicalJson([other.app.services, other.configs, other.secrets]) ===
    canonicalJson([version.app.services, version.configs, version.secrets]);
  const history = state.history(before.name).filter(({ rollbackTo }) => rollbackTo === undefined);
  const newest = state.version(before.name, before.version);
  if (!newest || same(newest)) return;
  const older = history.findLast(other => other.number < before.version && same(other));
  if (!older) return;
  throw new BerthError(
    "conflict",
    `this app file is version ${older.number} of ${before.name} (${older.who}, ${new Date(older.at_ms).toISOString()}); the newest is ${before.version} by ${newest.who}`,
    { hint: `go back with 'berth rollback ${before.name} ${older.number}', or insist with --force` },
  );
}
