import { BerthError, isCode } from "../../base/errors.ts";
import type { App } from "../../model/app.ts";
import type { AppVersion, ServiceWish } from "../../model/app-record.ts";
import { builtImageName } from "../../model/names.ts";
import { wantedRank } from "../../model/task.ts";
import { renderPlan } from "../../plan/render.ts";
import { stateOf } from "../../plan/slots.ts";
import type {
  AppEvent,
  AppSummary,
  AppsBackend,
  DownOptions,
  ImagesOptions,
  RunOptions,
  ServiceOptions,
  TaskView,
  UpOptions,
  VersionView,
  Why,
} from "../../ports/apps.ts";
import type { CallOptions } from "../../ports/content.ts";
import { newestOutcome, outcomeOf } from "../outcome/outcome.ts";
import { changeRecord, type changeWishes, recordOf, servicesOf } from "./change.ts";
import { EventQueue } from "./event-queue.ts";
import { follow, removedVerdict, settledVerdict, Teller } from "./follow.ts";
import { imagesOnly } from "./images-only.ts";
import type { AppsParts } from "./parts.ts";
import { rollbackTo } from "./rollback.ts";
import { run } from "./run.ts";
import { acceptUp, prepareUp } from "./up.ts";
import { appSummary, tasksInOrder, taskView } from "./views.ts";
import { why } from "./why.ts";

/** Apps as users ask for them, over the control plane: wishes go into the store, answers come from its state. */
export class Apps implements AppsBackend {
  readonly #parts: AppsParts;

  constructor(parts: AppsParts) {
    this.#parts = parts;
  }

  async plan(app: App, options: UpOptions = {}) {
    const { plan } = await prepareUp(this.#parts, app, options);
    return { plan, text: renderPlan(plan) };
  }

  async *up(app: App, options: UpOptions = {}): AsyncGenerator<AppEvent> {
    const accepted = yield* acceptUp(this.#parts, app, options);
    if (accepted.version === undefined) {
      // What an earlier one began may still be under way.
      if (options.wait !== "none") {
        const verdict = settledVerdict(app.name, accepted.services, options.wait ?? "started");
        yield* follow(this.#parts.control, { app: app.name, verdict, ...options });
      }
      yield { type: "done", app: app.name, version: accepted.current, outcome: "unchanged", message: "nothing to do" };
      return;
    }
    yield* this.#settled(app.name, accepted.services, options);
  }

  async *rollback(
    name: string,
    version: number,
    options: ServiceOptions & { who?: string; message?: string; allowDestructive?: boolean } = {},
  ): AsyncGenerator<AppEvent> {
    const plan = await rollbackTo(this.#parts, name, version, options);
    yield { type: "plan", plan };
    yield* this.#settled(name, undefined, options);
  }

  async *down(name: string, options: DownOptions = {}): AsyncGenerator<AppEvent> {
    const { control } = this.#parts;
    const images = options.images ? this.#imagesOf(name, options.images) : [];
    const present = control.mirror.state.apps.get(name)?.wanted === "present";
    const once = (await this.#parts.oneOffs?.removeAll(name, { signal: options.signal, resources: !present })) ?? [];
    if (!present && once.length > 0) {
      yield { type: "done", app: name, version: 0, outcome: "removed", message: "" };
      return;
    }
    const { version } = await changeRecord(
      control,
      name,
      record => ({
        ...record,
        wanted: "removed",
        removeVolumes: (options.volumes ?? false) || record.removeVolumes,
        stopTimeout_ms: options.stopTimeout_ms,
      }),
      options.signal,
    );
    yield* follow(control, { app: name, verdict: removedVerdict(name), ...options });
    for (const image of images) yield* this.#removeImage(image, options);
    yield { type: "done", app: name, version, outcome: "removed", message: "" };
  }

  async *build(app: App, options: ImagesOptions = {}): AsyncGenerator<AppEvent> {
    yield* imagesOnly(this.#parts, app, "build", options);
  }

  async *pull(app: App, options: ImagesOptions = {}): AsyncGenerator<AppEvent> {
    yield* imagesOnly(this.#parts, app, "pull", options);
  }

  run(app: App, service: string, options: RunOptions = {}): AsyncGenerator<AppEvent> {
    return run(this.#parts, app, service, options);
  }

  start(name: string, options: ServiceOptions = {}): AsyncGenerator<AppEvent> {
    return this.#change(name, options, ({ stopTimeout_ms, ...wish }) => ({
      ...wish,
      state: "running",
      starts: wish.starts + 1,
    }));
  }

  stop(name: string, options: ServiceOptions = {}): AsyncGenerator<AppEvent> {
    const { stopTimeout_ms } = options;
    return this.#change(name, options, wish =>
      wish.state === "running" ? { ...wish, state: "stopped", stopTimeout_ms } : wish,
    );
  }

  restart(name: string, options: ServiceOptions = {}): AsyncGenerator<AppEvent> {
    const { stopTimeout_ms } = options;
    return this.#change(name, options, wish => ({
      ...wish,
      state: "running",
      stopTimeout_ms,
      forced: wish.forced + 1,
      starts: wish.starts + 1,
    }));
  }

  rm(name: string, options: ServiceOptions & { stop?: boolean } = {}): AsyncGenerator<AppEvent> {
    const { stopTimeout_ms } = options;
    return this.#change(name, options, wish =>
      wish.state === "stopped" || options.stop ? { ...wish, state: "removed", stopTimeout_ms } : wish,
    );
  }

  scale(name: string, services: Record<string, number>, options: ServiceOptions = {}): AsyncGenerator<AppEvent> {
    const wrong = Object.entries(services).find(([, count]) => !Number.isInteger(count) || count < 0 || count > 10_000);
    if (wrong) throw new BerthError("invalid", `scaling ${wrong[0]} to ${wrong[1]}: give a number from 0 to 10000`);
    return this.#change(name, { ...options, services: Object.keys(services) }, (wish, service) => {
      this.#refuseScale(name, service, services[service]!);
      return { ...wish, scale: services[service]! };
    });
  }

  pause(name: string, options: ServiceOptions = {}): AsyncGenerator<AppEvent> {
    return this.#change(name, options, wish => ({ ...wish, paused: true }));
  }

  unpause(name: string, options: ServiceOptions = {}): AsyncGenerator<AppEvent> {
    return this.#change(name, options, ({ paused, ...wish }) => wish);
  }

  async kill(name: string, options: ServiceOptions & { killSignal?: string } = {}): Promise<string[]> {
    const services = servicesOf(recordOf(this.#parts.control, name), options.services);
    const tasks = (await this.ps(name, { services })).filter(({ state }) => state === "running");
    for (const { containerId, host } of tasks) {
      await this.#parts
        .engineOf(host)
        .containers.kill(containerId!, options.killSignal ?? "KILL", { signal: options.signal });
    }
    return tasks.map(task => task.name);
  }

  async ls({ all }: CallOptions & { all?: boolean } = {}): Promise<AppSummary[]> {
    const { state } = this.#parts.control.mirror;
    return [...state.apps.values()]
      .filter(({ wanted, services }) => all || wanted === "present" || Object.keys(services).length > 0)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(record => appSummary(state, record));
  }

  async ps(name: string, options: CallOptions & { services?: string[]; all?: boolean } = {}): Promise<TaskView[]> {
    const { mirror, parts } = this.#parts.control;
    const record = recordOf(this.#parts.control, name);
    const services = options.services?.length ? servicesOf(record, options.services) : undefined;
    const tasks = mirror.state.tasksOfApp(name).filter(entry => {
      if (services && !services.includes(entry.task.service)) return false;
      return options.all || wantedRank(entry.task.wanted) < wantedRank("removed") || stateOf(entry) === "running";
    });
    return tasksInOrder(tasks).map(entry => taskView(mirror.state, entry, parts.clock.now_ms()));
  }

  async *events(name: string | undefined, { signal }: CallOptions = {}): AsyncGenerator<AppEvent> {
    const { mirror, parts } = this.#parts.control;
    const teller = new Teller(name);
    const queue = new EventQueue<AppEvent>();
    const stop = mirror.onChange((changes, state) => {
      for (const event of teller.tell(changes, state, parts.clock.now_ms())) queue.push(event);
    });
    const onAbort = () => queue.end();
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted) queue.end();
    try {
      yield* queue;
    } finally {
      stop();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async history(name: string): Promise<VersionView[]> {
    const { state } = this.#parts.control.mirror;
    const versions = state.history(name);
    if (versions.length === 0) recordOf(this.#parts.control, name);
    return versions.toReversed().map(({ number, who, at_ms, message, diff, rollbackTo }) => {
      const outcome = outcomeOf(state, name, number);
      const [is, text] = [outcome?.state ?? "running", outcome?.message ?? ""];
      return { version: number, who, at_ms, message, diff, outcome: is, outcomeMessage: text, rollbackTo };
    });
  }

  async version(name: string, number?: number): Promise<AppVersion> {
    const { state } = this.#parts.control.mirror;
    const found = state.version(name, number ?? state.apps.get(name)?.version ?? 0);
    if (found) return found;
    const kept = state.history(name).map(version => version.number);
    throw new BerthError("not_found", `there is no version ${number ?? ""} of ${name}`, {
      hint: kept.length === 0 ? "see 'berth ls'" : `kept are ${kept.join(", ")}`,
    });
  }

  async why(name: string, service?: string): Promise<Why[]> {
    const { mirror, parts } = this.#parts.control;
    const record = recordOf(this.#parts.control, name);
    const services = service === undefined ? Object.keys(record.services).sort() : [service];
    return services.map(each => why(mirror.state, name, each, parts.clock.now_ms()));
  }

  async *#change(
    name: string,
    options: ServiceOptions,
    change: (wish: ServiceWish, service: string) => ServiceWish,
  ): AsyncGenerator<AppEvent> {
    const { control } = this.#parts;
    const services = servicesOf(recordOf(control, name), options.services);
    const apply = (record: Parameters<typeof changeWishes>[0]) => {
      const all = { ...record.services };
      for (const service of services) all[service] = change(all[service]!, service);
      return { ...record, services: all };
    };
    await changeRecord(control, name, apply, options.signal);
    yield* this.#settled(name, services, options);
  }

  async *#settled(
    name: string,
    services: string[] | undefined,
    options: Pick<ServiceOptions, "wait" | "timeout_ms" | "signal">,
  ): AsyncGenerator<AppEvent> {
    const { control } = this.#parts;
    const { wait = "started" } = options;
    const version = control.mirror.state.apps.get(name)?.version ?? 0;
    if (wait === "none") {
      yield { type: "done", app: name, version, outcome: "accepted", message: "" };
      return;
    }
    yield* follow(control, { app: name, verdict: settledVerdict(name, services, wait), ...options });
    const outcome = newestOutcome(control.mirror.state, name, control.parts.clock.now_ms());
    const rolledBack = outcome.state === "rolled-back";
    yield {
      type: "done",
      app: name,
      version,
      outcome: rolledBack ? "rolled-back" : "succeeded",
      message: rolledBack ? outcome.message : "",
    };
  }

  #refuseScale(name: string, service: string, count: number): void {
    const fixed = this.#parts.control.mirror.state.wantedOf(name).get(service)?.service.containerName;
    if (fixed === undefined || count <= 1) return;
    throw new BerthError(
      "invalid",
      `scaling ${service} to ${count}: container_name "${fixed}" can name one container`,
      {
        hint: "leave container_name out of the app file",
      },
    );
  }

  #imagesOf(name: string, which: "local" | "all"): string[] {
    const { state } = this.#parts.control.mirror;
    const services = [...state.wantedOf(name).values()].map(({ service }) => service);
    const chosen = services.filter(({ image }) => which === "all" || image === undefined);
    return [...new Set(chosen.map(service => service.image ?? builtImageName(name, service.name)))];
  }

  async *#removeImage(reference: string, { signal }: DownOptions): AsyncGenerator<AppEvent> {
    try {
      await this.#parts.engineOf().images.remove(reference, { signal });
      yield { type: "image", reference, action: "pull", id: "", status: "removed" };
    } catch (thrown) {
      // Others use it, or it is gone already: the app is down all the same.
      if (!isCode(thrown, "in_use", "not_found")) throw thrown;
      yield { type: "image", reference, action: "pull", id: "", status: `kept: ${(thrown as BerthError).message}` };
    }
  }
}
