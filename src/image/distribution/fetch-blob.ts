import type { Clock } from "../../base/clock.ts";
import { BerthError, isCode } from "../../base/errors.ts";
import { type RetryPolicy, retry } from "../../base/retry.ts";
import type { Descriptor } from "../../model/image.ts";
import type { ContentStore, Ingest } from "../../ports/content.ts";
import type { RegistrySession } from "./registry-session.ts";
import { asTransferError } from "./transfer-error.ts";

/** For each stretch without progress; a connection that breaks again and again but moves on is followed for `roundLimit` of them. */
export const retryPolicy: RetryPolicy = { attempts: 5, first_ms: 250, longest_ms: 30_000 };
const roundLimit = 100;
/** Progress is told at most this often. */
const report_bytes = 512 * 1024;

export interface FetchContext {
  content: ContentStore;
  clock: Clock;
  random: () => number;
  signal?: AbortSignal;
  /** Bytes so far. */
  onBytes?: (current: number) => void;
  onRetry?: (thrown: unknown, delay_ms: number) => void;
}

/**
 * Brings a blob into the content store: resumes what is there of it, follows broken connections, verifies the digest. A corrupt blob is fetched once more from
 * the start, then from the next session (mirrors come before the registry itself). Waits where another process fetches it.
 */
export async function fetchBlob(
  context: FetchContext,
  sessions: RegistrySession[],
  repository: string,
  blob: Descriptor,
): Promise<void> {
  const failures: unknown[] = [];
  for (const session of sessions) {
    for (const isLastTry of [false, true]) {
      try {
        return await fetchFrom(context, session, repository, blob);
      } catch (thrown) {
        context.signal?.throwIfAborted();
        failures.push(thrown);
        if (isCode(thrown, "exhausted")) throw thrown;
        if (!isCode(thrown, "corrupt") || isLastTry) break;
      }
    }
  }
  throw failures.at(-1);
}

async function fetchFrom(
  context: FetchContext,
  session: RegistrySession,
  repository: string,
  blob: Descriptor,
): Promise<void> {
  const { content, signal } = context;
  await using ingest = await content.ingest(`blob ${blob.digest}`, { signal });
  const existing = await content.touch(blob.digest, { signal });
  if (existing?.size === blob.size) return;
  if (ingest.offset > blob.size) await restart(ingest);
  const onRetry = (thrown: unknown, _attempt: number, delay_ms: number) => context.onRetry?.(thrown, delay_ms);
  for (let round = 1; ingest.offset < blob.size; round++) {
    const before = ingest.offset;
    try {
      await retry(retryPolicy, { ...context, onRetry }, () => append(context, ingest, session, repository, blob));
    } catch (thrown) {
      // On a full disk the part is worth less than its space.
      if (isCode(thrown, "exhausted")) await ingest.abort();
      const isMovingOn = thrown instanceof BerthError && thrown.retryable && ingest.offset > before;
      if (!isMovingOn || round >= roundLimit || signal?.aborted) throw thrown;
    }
  }
  await ingest.commit({ digest: blob.digest, size: blob.size, deferSync: true }, { signal });
}

/** Bytes beyond the declared size belong to no blob of that digest. */
async function restart(ingest: Ingest): Promise<never> {
  await ingest.abort();
  throw new BerthError("corrupt", `resuming ${ingest.ref}: more bytes are there than the blob has`);
}

async function append(
  { content: _, signal, onBytes }: FetchContext,
  ingest: Ingest,
  session: RegistrySession,
  repository: string,
  blob: Descriptor,
): Promise<void> {
  const attempted = `fetching blob ${blob.digest} of ${session.endpoint.domain}/${repository}`;
  const start = ingest.offset;
  const body = await session.blob(repository, blob, start, { signal });
  try {
    await ingest.append(counted(body, start, blob, onBytes), { signal });
  } catch (thrown) {
    signal?.throwIfAborted();
    throw asTransferError(thrown, attempted);
  } finally {
    body.destroy();
  }
  if (ingest.offset < blob.size) {
    throw new BerthError("unavailable", `${attempted}: it ended after ${ingest.offset} of ${blob.size} bytes`);
  }
}

async function* counted(
  body: AsyncIterable<Buffer>,
  start: number,
  blob: Descriptor,
  onBytes: ((current: number) => void) | undefined,
): AsyncGenerator<Buffer> {
  let current = start;
  let reported = start;
  for await (const chunk of body) {
    current += chunk.length;
    if (current > blob.size) {
      throw new BerthError("corrupt", `fetching blob ${blob.digest}: more than its ${blob.size} bytes came`);
    }
    yield chunk;
    if (current - reported < report_bytes && current !== blob.size) continue;
    reported = current;
    onBytes?.(current);
  }
}
