import type { Clock } from "./clock.ts";
import { BerthError } from "./errors.ts";

export interface RetryPolicy {
  /** Tries in all, the first one included. */
  attempts: number;
  /** Delay before the second try; doubled for each further one. */
  first_ms: number;
  longest_ms: number;
}

export interface RetryContext {
  clock: Clock;
  /** In [0, 1): spreads retries so that many clients do not return at once. */
  random: () => number;
  signal?: AbortSignal;
  /** Called before each wait. */
  onRetry?: (thrown: unknown, attempt: number, delay_ms: number) => void;
}

/**
 * Runs `work` until it succeeds, throws something not retryable, or the attempts are used up (the last error is thrown).
 * An error may name its own wait as `details.retryAfter_ms` (e.g. from a Retry-After header); it is bounded by `longest_ms`.
 */
export async function retry<T>(
  policy: RetryPolicy,
  context: RetryContext,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      context.signal?.throwIfAborted();
      return await work(attempt);
    } catch (thrown) {
      const retryable = thrown instanceof BerthError && thrown.retryable;
      if (!retryable || attempt >= policy.attempts || context.signal?.aborted) throw thrown;
      const asked_ms = Number(thrown.details?.["retryAfter_ms"] ?? 0);
      const backoff_ms = policy.first_ms * 2 ** (attempt - 1) * (0.5 + context.random() / 2);
      const delay_ms = Math.min(policy.longest_ms, Math.max(asked_ms, backoff_ms));
      context.onRetry?.(thrown, attempt, delay_ms);
      await context.clock.sleep(delay_ms, { signal: context.signal });
    }
  }
}
