import { BerthError } from "../../base/errors.ts";

interface Job<T> {
  result: Promise<T>;
  stop: AbortController;
  waiting: number;
}

/** Concurrent callers of the same key share one run; it is cancelled when the last of them has given up. */
export class SharedWork<T> {
  readonly #jobs = new Map<string, Job<T>>();

  async run(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    let job = this.#jobs.get(key);
    if (job === undefined || job.stop.signal.aborted) job = this.#start(key, work);
    return await this.#wait(job, signal);
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Job<T> {
    const stop = new AbortController();
    const job: Job<T> = { stop, waiting: 0, result: work(stop.signal) };
    const forget = () => {
      if (this.#jobs.get(key) === job) this.#jobs.delete(key);
    };
    job.result.then(forget, forget);
    this.#jobs.set(key, job);
    return job;
  }

  #wait(job: Job<T>, signal: AbortSignal | undefined): Promise<T> {
    job.waiting++;
    return new Promise((resolve, reject) => {
      const leave = () => {
        job.waiting--;
        const reason = new BerthError("cancelled", "cancelled while unpacking", { cause: signal?.reason });
        if (job.waiting === 0) job.stop.abort(reason);
        // Whoever cancels last waits for the clean-up.
        if (job.waiting === 0)
          job.result.then(
            () => reject(reason),
            () => reject(reason),
          );
        else reject(reason);
      };
      signal?.addEventListener("abort", leave, { once: true });
      const done = () => signal?.removeEventListener("abort", leave);
      job.result.then(
        value => {
          done();
          resolve(value);
        },
        thrown => {
          done();
          reject(thrown);
        },
      );
    });
  }
}
