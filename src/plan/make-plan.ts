import type { AppRecord } from "../model/app-record.ts";
import { containerName } from "../model/names.ts";
import type { NetworkRecord, VolumeRecord } from "../model/records.ts";
import { dependenciesOf } from "./dependencies.ts";
import { differences } from "./differences.ts";
import type { Plan, Step } from "./plan.ts";
import { type SlotStep, type SlotTask, type SpecHashOf, slotSteps, slotsOf } from "./slots.ts";
import { isHiddenField, taskSpec, usedVolumes } from "./task-spec.ts";
import { type Versions, type WantedService, wantedServices } from "./wanted.ts";

/** An image that the app needs, and how it will be come by. */
export interface ImageNeed {
  reference: string;
  action: "keep" | "pull" | "build";
  cause: string;
  services: string[];
}

/** A secret or config as the plan shows it: its name, never its content. */
export interface FileNeed {
  kind: "secret" | "config";
  name: string;
  action: "keep" | "create" | "remove";
  cause: string;
  services: string[];
}

export interface PlanInput {
  /** As it is; absent for a new app. */
  before?: AppRecord;
  /** As it is to be. */
  after: AppRecord;
  /** All versions that either record or a task names. */
  versions: Versions;
  /** All tasks of the app. */
  tasks: SlotTask[];
  slotNames: (wanted: WantedService) => string[];
  specHashOf: SpecHashOf;
  images: ImageNeed[];
  files: FileNeed[];
  networks: { are: Map<string, NetworkRecord>; wanted: Map<string, NetworkRecord> };
  volumes: { are: Map<string, VolumeRecord>; wanted: Map<string, VolumeRecord> };
  warnings: string[];
  /** Where a task would be placed; undefined where that is not known. */
  hostOf?: (service: string, slot: string) => string | undefined;
}

/** Foretells what the control loops will do. Pure. */
export function makePlan(input: PlanInput): Plan {
  const wanted = wantedServices(input.after, input.versions);
  const services = new Set([...wanted.keys(), ...input.tasks.map(({ task }) => task.service)]);
  const tasks = [...services].flatMap(name => taskSteps(input, wanted, name));
  const steps = [
    ...imageSteps(input),
    ...resourceSteps("network", input.networks, () => undefined),
    ...resourceSteps("volume", input.volumes, name => `the data in volume ${name}`),
    ...fileSteps(input),
    ...tasks,
  ];
  for (const step of steps) if (step.kind === "volume") keepUnlessAsked(step, input.after);
  link(steps, input, wanted);
  return {
    app: input.after.name,
    fromVersion: input.before?.wanted === "present" ? input.before.version : undefined,
    toVersion: input.after.version,
    steps: inOrder(steps),
    warnings: input.warnings,
  };
}

function keepUnlessAsked(step: Step, after: AppRecord): void {
  if (step.action !== "remove" || (after.wanted === "removed" && after.removeVolumes)) return;
  const cause = after.wanted === "removed" ? "volumes stay unless asked for" : `${step.cause}; its data stays`;
  Object.assign(step, { action: "keep", cause, destroys: undefined });
}

function imageSteps({ images }: PlanInput): Step[] {
  return images.map(image => ({
    id: `image ${image.reference}`,
    kind: "image" as const,
    action: image.action,
    name: image.reference,
    cause: image.cause,
    changes: [],
    after: [],
  }));
}

function fileSteps({ files }: PlanInput): Step[] {
  return files.map(({ kind, name, action, cause }) => ({
    id: `${kind} ${name}`,
    kind,
    action,
    name,
    cause,
    changes: [],
    after: [],
  }));
}

function resourceSteps(
  kind: "network" | "volume",
  {
    are,
    wanted,
  }: { are: Map<string, NetworkRecord | VolumeRecord>; wanted: Map<string, NetworkRecord | VolumeRecord> },
  lost: (name: string) => string | undefined,
): Step[] {
  const steps: Step[] = [];
  const add = (name: string, action: Step["action"], cause: string, more: Partial<Step> = {}) =>
    steps.push({ id: `${kind} ${name}`, kind, action, name, cause, changes: [], after: [], ...more });
  for (const [name, { spec, hash }] of wanted) {
    const found = are.get(name);
    if (!found || found.removing) add(name, "create", "the app declares it");
    else if (found.hash === hash) add(name, "keep", "unchanged");
    else {
      const changes = differences(withoutLabels(found.spec), withoutLabels(spec));
      add(name, "replace", "its definition changed", { changes, destroys: lost(name) });
    }
  }
  for (const name of are.keys()) {
    if (!wanted.has(name)) add(name, "remove", "no service uses it any more", { destroys: lost(name) });
  }
  return steps;
}

function withoutLabels(spec: object): object {
  return { ...spec, labels: undefined };
}

function taskSteps(input: PlanInput, wanted: Map<string, WantedService>, name: string): Step[] {
  const tasks = input.tasks.filter(({ task }) => task.service === name);
  const gone = goneService(input, name);
  const service = wanted.get(name) ?? gone;
  if (!service) return [];
  const slots = wanted.has(name) ? input.slotNames(service) : [];
  return slotSteps(service, slots, slotsOf(tasks), input.specHashOf).map(step => taskStep(input, service, step));
}

/** A service that the app has no longer: known by its tasks alone. */
function goneService(input: PlanInput, name: string): WantedService | undefined {
  const task = input.tasks.find(entry => entry.task.service === name)?.task;
  const service = task && input.versions(task.version)?.app.services[name];
  if (!task || !service) return undefined;
  return {
    app: task.app,
    name,
    version: task.version,
    service,
    mode: service.deploy?.mode ?? "replicated",
    replicas: 0,
    specHash: "",
    shared: "",
    generation: "",
    state: "removed",
    paused: false,
    starts: 0,
    forced: 0,
    restartsWith: [],
    sharesWith: [],
  };
}

function taskStep(input: PlanInput, service: WantedService, step: SlotStep): Step {
  const number = step.task?.task.number ?? (Number(step.slot) || 1);
  const name = service.service.containerName ?? containerName(service.app, service.name, number);
  const changes = step.action === "replace" && step.task ? replaceChanges(input, service, step.task) : [];
  return {
    id: `task ${name}`,
    kind: "task",
    action: step.action,
    name,
    cause: causeOf(input, service, step, changes.length),
    changes,
    after: [],
    service: service.name,
    slot: step.slot,
    host: input.hostOf && (step.task?.task.host ?? input.hostOf(service.name, step.slot)),
  };
}

function causeOf(input: PlanInput, service: WantedService, step: SlotStep, changes: number): string {
  const isNew = step.action === "create" && input.before?.services[service.name] === undefined;
  if (isNew) return `service ${service.name} is new`;
  if (step.action !== "replace" || changes > 0 || service.sharesWith.length === 0) return step.cause;
  return `it shares with ${service.sharesWith.join(", ")}, which is replaced`;
}

function replaceChanges(input: PlanInput, service: WantedService, { task }: SlotTask) {
  const from = input.versions(task.version);
  const to = input.versions(service.version);
  if (!from || !to) return [];
  return differences(taskSpec(from, service.name), taskSpec(to, service.name), isHiddenField);
}

/** Sets what each step waits for: resources before tasks, dependencies before dependents, and all that in reverse where things go. */
function link(steps: Step[], input: PlanInput, wanted: Map<string, WantedService>): void {
  const idsOf = (kind: Step["kind"], names: Iterable<string>, going: boolean) => {
    const set = new Set(names);
    return steps.filter(step => step.kind === kind && set.has(step.name) && goes(step) === going).map(({ id }) => id);
  };
  const tasksOf = new Map<string, Step[]>();
  for (const step of steps)
    if (step.kind === "task") tasksOf.set(step.service!, [...(tasksOf.get(step.service!) ?? []), step]);
  for (const [name, own] of tasksOf) {
    const service = wanted.get(name) ?? goneService(input, name);
    if (!service) continue;
    const version = input.versions(service.version)!;
    const networks = Object.keys(service.service.networks).map(key => version.app.networks[key]?.name ?? key);
    const volumes = usedVolumes(service.service).map(key => version.app.volumes[key]?.name ?? key);
    const files = input.files.filter(file => file.services.includes(name)).map(file => `${file.kind} ${file.name}`);
    const images = input.images.filter(image => image.services.includes(name)).map(image => `image ${image.reference}`);
    const dependencies = Object.keys(dependenciesOf(service.service)).flatMap(other => tasksOf.get(other) ?? []);
    const needs = [...idsOf("network", networks, false), ...idsOf("volume", volumes, false), ...files, ...images];
    for (const step of own) {
      if (goes(step)) for (const dependency of dependencies.filter(goes)) dependency.after.push(step.id);
      else step.after.push(...needs, ...dependencies.filter(other => !goes(other)).map(({ id }) => id));
    }
  }
  const goingTasks = steps.filter(step => step.kind === "task" && goes(step)).map(({ id }) => id);
  for (const step of steps) if (step.kind !== "task" && step.action === "remove") step.after.push(...goingTasks);
}

function goes(step: Step): boolean {
  return step.action === "remove" || step.action === "stop";
}

/** Each step after those that it waits for; else as given. */
function inOrder(steps: Step[]): Step[] {
  const byId = new Map(steps.map(step => [step.id, step]));
  const ordered: Step[] = [];
  const seen = new Set<string>();
  const visit = (step: Step): void => {
    if (seen.has(step.id)) return;
    seen.add(step.id);
    for (const id of step.after) {
      const before = byId.get(id);
      if (before) visit(before);
    }
    ordered.push(step);
  };
  for (const step of steps) visit(step);
  return ordered;
}
