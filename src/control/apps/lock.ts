import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import type { Store } from "../../ports/store.ts";
import { keys } from "../keys.ts";

const lease_ms = 6000;
const renewal_ms = 2000;

interface Holder {
  who: string;
  since_ms: number;
}

/** Keeps others from changing an app between a plan and its commit. Goes away by itself when its holder's server ends. */
export async function lockApp(
  parts: { store: Store; clock: Clock },
  app: string,
  options: { who: string; wait?: boolean; signal?: AbortSignal },
): Promise<AsyncDisposable> {
  const { store, clock } = parts;
  const key = keys.lock(app);
  for (;;) {
    using watch = store.watch(key, { signal: options.signal });
    const lease = await store.grantLease(lease_ms, { signal: options.signal });
    const holder: Holder = { who: options.who, since_ms: clock.now_ms() };
    const { committed } = await store.commit({
      compare: [{ key, modRevision: 0 }],
      operations: [{ type: "put", key, value: JSON.stringify(holder), lease }],
    });
    if (committed) return held(parts, lease);
    await store.revokeLease(lease);
    const other = await store.get(key);
    if (!other) continue;
    const { who, since_ms } = JSON.parse(other.value) as Holder;
    if (!options.wait) {
      throw new BerthError("conflict", `${app} is being changed by ${who} since ${new Date(since_ms).toISOString()}`, {
        hint: "try again when that is done, or wait for it with --wait-for-others",
        retryable: true,
      });
    }
    for await (const { changes } of watch) if (changes.some(({ type }) => type === "delete")) break;
    options.signal?.throwIfAborted();
  }
}

function held({ store, clock }: { store: Store; clock: Clock }, lease: string): AsyncDisposable {
  let cancel = () => {};
  const renew = () => {
    cancel = clock.after(renewal_ms, () => {
      // A lease that is lost ends the lock: the commit's comparison still keeps two changes apart.
      store.keepLeaseAlive(lease).then(renew, () => undefined);
    });
  };
  renew();
  return {
    async [Symbol.asyncDispose]() {
      cancel();
      await store.revokeLease(lease);
    },
  };
}
