import { BerthError } from "../base/errors.ts";
import type { ChangeBatch, Store } from "../ports/store.ts";
import type { Power } from "./power.ts";

/** The store as one process sees it: its transactions are steps at which the process may die, before or after they took effect. While
 * its disk is full, none takes effect. */
export function poweredStore(store: Store, power: Power, disk: { full: boolean } = { full: false }): Store {
  return {
    get: (key, options) => power.read(() => store.get(key, options)),
    list: (prefix, options) => power.read(() => store.list(prefix, options)),
    commit: (transaction, options) =>
      power.effect(`commit ${transaction.operations.map(describe).join(", ")}`, () => {
        if (disk.full) throw diskFull();
        return store.commit(transaction, options);
      }),
    watch(prefix, options) {
      const watch = store.watch(prefix, options);
      return {
        async *[Symbol.asyncIterator](): AsyncGenerator<ChangeBatch> {
          for await (const batch of watch) yield await power.read(() => batch);
        },
        [Symbol.dispose]: () => watch[Symbol.dispose](),
      };
    },
    grantLease: (ttl_ms, options) => power.read(() => store.grantLease(ttl_ms, options)),
    keepLeaseAlive: (lease, options) => power.read(() => store.keepLeaseAlive(lease, options)),
    revokeLease: (lease, options) => power.read(() => store.revokeLease(lease, options)),
    compact: (revision, options) => power.read(() => store.compact(revision, options)),
    status: options => power.read(() => store.status(options)),
    backup: (path, options) => power.read(() => store.backup(path, options)),
    async [Symbol.asyncDispose]() {},
  };
}

/** What the drivers say. */
function diskFull(): BerthError {
  return new BerthError("exhausted", "writing the store: the disk is full", { hint: "free space on it" });
}

function describe(operation: { type: string; key?: string; prefix?: string }): string {
  return `${operation.type} ${operation.key ?? operation.prefix}`;
}
