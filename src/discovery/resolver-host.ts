import { statSync } from "node:fs";
import type { BoundSockets } from "./listeners.ts";
import { listen } from "./listeners.ts";
import type { NameRecord, NameTable } from "./name-table.ts";
import type { Responder } from "./responder.ts";

export interface ResolverHostOptions {
  table: NameTable;
  responder: Responder;
  /** What is recorded of a container now. */
  recordsOf: (containerId: string) => NameRecord[];
  containers: () => string[];
  /** Binds the resolver's address inside a network namespace. */
  open: (netnsPath: string) => BoundSockets;
}

interface Served {
  /** Of the namespace: a container that starts again has another one at the same path. */
  inode: number;
  listeners: AsyncDisposable;
}

/** The resolvers of one host: one in each container that is in a network with names. Follows the records when told that some changed. */
export class ResolverHost implements AsyncDisposable {
  readonly #options: ResolverHostOptions;
  readonly #served = new Map<string, Served>();
  /** Changes of one container happen one after the other. */
  readonly #queues = new Map<string, Promise<void>>();

  constructor(options: ResolverHostOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#served.size;
  }

  /** Everything that is recorded; returns the reasons why some containers could not be served (their namespaces may just be going). */
  async load(): Promise<string[]> {
    const outcomes = await Promise.allSettled(this.#options.containers().map(id => this.sync(id)));
    return outcomes.flatMap(outcome => (outcome.status === "rejected" ? [String(outcome.reason)] : []));
  }

  /** Reads the container's records again and begins, continues or ends serving it. When it returns, its resolver answers with the new names. */
  sync(containerId: string): Promise<void> {
    const before = this.#queues.get(containerId) ?? Promise.resolve();
    const change = before.then(() => this.#sync(containerId));
    const settled = change.catch(() => {}); // the caller hears of it; the next change starts afresh
    this.#queues.set(containerId, settled);
    void settled.then(() => {
      if (this.#queues.get(containerId) === settled) this.#queues.delete(containerId);
    });
    return change;
  }

  async #sync(containerId: string): Promise<void> {
    const { table, recordsOf, open, responder } = this.#options;
    const records = recordsOf(containerId);
    const named = records.some(record => record.endpoint.dnsNames.length > 0);
    table.set(containerId, named ? records : []);
    const netnsPath = named ? records[0]!.netnsPath : undefined;
    const inode = netnsPath === undefined ? undefined : statSync(netnsPath).ino;
    const served = this.#served.get(containerId);
    if (served?.inode === inode) return;
    if (served !== undefined) {
      this.#served.delete(containerId);
      await served.listeners[Symbol.asyncDispose]();
    }
    if (netnsPath === undefined || inode === undefined) return;
    const listeners = await listen(open(netnsPath), (query, transport) =>
      responder.respond(containerId, query, transport),
    );
    this.#served.set(containerId, { inode, listeners });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#served.values()];
    this.#served.clear();
    await Promise.all(all.map(({ listeners }) => listeners[Symbol.asyncDispose]()));
  }
}
