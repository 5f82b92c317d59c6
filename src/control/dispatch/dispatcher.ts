import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import type { Host, HostFacts } from "../../model/host.ts";
import { observedState } from "../../model/task.ts";
import { type Operation, type Store, storeLimits } from "../../ports/store.ts";
import {
  type AssignmentBatch,
  type DeliveredFile,
  emptyBatch,
  type HostLink,
  type HostReport,
  type LinkOptions,
} from "../../wire/host-link.ts";
import type { StoredFiles } from "../files/stored-files.ts";
import { keys } from "../keys.ts";
import type { Mirror } from "../mirror.ts";
import type { ClusterState, StateChange } from "../state.ts";

export interface DispatcherParts {
  store: Store;
  mirror: Mirror;
  files: StoredFiles;
  clock: Clock;
}

/** The server's end of a host's link: hands out assignments from the state, and takes reports into the store. */
export class Dispatcher implements HostLink {
  readonly #parts: DispatcherParts;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** A host is known by its name; it comes back as the one it was. */
  async register(facts: HostFacts, options: LinkOptions = {}): Promise<{ host: string }> {
    const { store, mirror, clock } = this.#parts;
    const id = facts.name;
    const host: Host = { id, facts, state: "up", seenAt_ms: clock.now_ms() };
    const { revision } = await store.commit(
      { operations: [{ type: "put", key: keys.host(id), value: JSON.stringify(host) }] },
      options,
    );
    await mirror.reached(revision, options.signal);
    return { host: id };
  }

  async *assignments(host: string, { signal }: LinkOptions = {}): AsyncIterable<AssignmentBatch> {
    const { mirror } = this.#parts;
    const sent = { tasks: new Set<string>(), versions: new Set<string>() };
    const queue: AssignmentBatch[] = [complete(mirror.state, host, sent)];
    let wake = () => {};
    const push = (batch: AssignmentBatch) => {
      if (isEmpty(batch)) return;
      queue.push(batch);
      wake();
    };
    const stops = [
      mirror.onChange((changes, state) => push(changed(changes, state, host, sent))),
      mirror.onReset(() => {
        queue.length = 0;
        sent.tasks.clear();
        sent.versions.clear();
        push(complete(mirror.state, host, sent));
      }),
    ];
    const onAbort = () => wake();
    signal?.addEventListener("abort", onAbort);
    try {
      while (!signal?.aborted) {
        const batch = queue.shift();
        if (batch) yield batch;
        else {
          await new Promise<void>(resolve => {
            wake = resolve;
          });
        }
      }
    } finally {
      for (const stop of stops) stop();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async report(host: string, report: HostReport, options: LinkOptions = {}): Promise<void> {
    const { store, mirror } = this.#parts;
    const operations: Operation[] = [];
    const put = (key: string, value: unknown) => operations.push({ type: "put", key, value: JSON.stringify(value) });
    // What was forgotten meanwhile is not brought back.
    for (const status of report.tasks) if (mirror.state.tasks.has(status.id)) put(keys.status(status.id), status);
    for (const [name, status] of Object.entries(report.networks)) {
      if (mirror.state.networks.has(name)) put(keys.hostNetwork(host, name), status);
    }
    for (const [name, status] of Object.entries(report.volumes)) {
      if (mirror.state.volumes.has(name)) put(keys.hostVolume(host, name), status);
    }
    const size = storeLimits.operations;
    for (let start = 0; start < operations.length; start += size) {
      await store.commit({ operations: operations.slice(start, start + size) }, options);
    }
  }

  async files(host: string, id: string, options: LinkOptions = {}): Promise<DeliveredFile[]> {
    const { mirror, files } = this.#parts;
    const task = mirror.state.tasks.get(id);
    if (task?.host !== host) {
      throw new BerthError("forbidden", `handing out secrets of task ${id}: it is not a task of host ${host}`);
    }
    const version = mirror.state.version(task.app, task.version);
    const service = version?.app.services[task.service];
    if (!version || !service)
      throw new BerthError("not_found", `task ${id}: version ${task.version} is not kept any more`);
    const delivered: DeliveredFile[] = [];
    for (const [kind, grants, stored] of [
      ["secret", service.secrets, version.secrets],
      ["config", service.configs, version.configs],
    ] as const) {
      for (const source of new Set(grants.map(grant => grant.source))) {
        const content = stored[source];
        if (content === undefined) throw new BerthError("not_found", `task ${id}: ${kind} ${source} has no content`);
        delivered.push({ kind, source, content: await files.read(content, options) });
      }
    }
    return delivered;
  }
}

interface Sent {
  tasks: Set<string>;
  versions: Set<string>;
}

function complete(state: ClusterState, host: string, sent: Sent): AssignmentBatch {
  const batch = emptyBatch(true);
  for (const task of state.tasks.values()) {
    if (task.host !== host || observedState(task, state.statuses.get(task.id)) === "removed") continue;
    addTask(batch, state, task.id, sent);
  }
  batch.networks.push(...state.networks.values());
  batch.volumes.push(...state.volumes.values());
  return batch;
}

function changed(changes: StateChange[], state: ClusterState, host: string, sent: Sent): AssignmentBatch {
  const batch = emptyBatch();
  for (const { kind, name } of changes) {
    if (kind === "task") {
      if (state.tasks.get(name)?.host === host) addTask(batch, state, name, sent);
      else if (sent.tasks.delete(name)) batch.forgotten.push(name);
    } else if (kind === "network") {
      const record = state.networks.get(name);
      if (record) batch.networks.push(record);
      else batch.networksGone.push(name);
    } else if (kind === "volume") {
      const record = state.volumes.get(name);
      if (record) batch.volumes.push(record);
      else batch.volumesGone.push(name);
    }
  }
  return batch;
}

function addTask(batch: AssignmentBatch, state: ClusterState, id: string, sent: Sent): void {
  const task = state.tasks.get(id)!;
  const versionKey = `${task.app}/${task.version}`;
  const version = state.version(task.app, task.version);
  if (version && !sent.versions.has(versionKey)) {
    sent.versions.add(versionKey);
    batch.versions.push(version);
  }
  sent.tasks.add(id);
  batch.tasks.push({ task, status: state.statuses.get(id) });
}

function isEmpty(batch: AssignmentBatch): boolean {
  return !batch.complete && Object.values(batch).every(value => !Array.isArray(value) || value.length === 0);
}
