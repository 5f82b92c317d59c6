import type { StepRecord } from "../cache/records.ts";
import type { BuildSession } from "./parts.ts";

/** A record of this host whose layer is still there, or one that an imported cache brings. */
export async function findRecord(session: BuildSession, key: string): Promise<StepRecord | undefined> {
  const { records, parts, imported, signal } = session;
  const record = records.read(key);
  if (record && (!record.layer || (await parts.images.content.touch(record.layer.blob.digest, { signal }))))
    return record;
  for (const cache of imported) {
    const found = await cache.take(key, signal);
    if (!found) continue;
    records.write(key, found);
    return found;
  }
  return undefined;
}

export interface StepOutcome {
  record: StepRecord;
  cached: boolean;
}

/**
 * The result of a step: from the cache, from an equal step of another stage that is running now, or by doing it.
 * `useCache: false` looks nothing up, and still keeps what comes out.
 */
export async function cachedStep(
  session: BuildSession,
  key: string,
  useCache: boolean,
  work: () => Promise<StepRecord>,
): Promise<StepOutcome> {
  const known = useCache ? await findRecord(session, key) : undefined;
  if (known) {
    session.used.set(key, known);
    return { record: known, cached: true };
  }
  const running = session.running.get(key);
  if (running) return { record: await running, cached: true };
  const started = session.slots.run(session.signal, work);
  session.running.set(key, started);
  const record = await started;
  session.records.write(key, record);
  session.used.set(key, record);
  return { record, cached: false };
}

export function now(session: BuildSession): string {
  const { sourceDateEpoch } = session.plan;
  const time_ms = sourceDateEpoch === undefined ? session.parts.clock.now_ms() : sourceDateEpoch * 1000;
  return new Date(time_ms).toISOString();
}
