import { BerthError } from "../../base/errors.ts";
import type { AttachOptions, LogRecord, Session } from "../../ports/engine.ts";
import type { RuntimeStreams } from "../../ports/runtime.ts";
import type { EngineContext } from "../context.ts";
import { containerEvent } from "../lifecycle/attributes.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { logLimits } from "../logs/log-options.ts";
import { followLog, logSize_bytes, readLog } from "../logs/read-log.ts";
import { DirectoryWatch } from "../state/directory-watch.ts";
import type { ContainerConfig } from "../state/record.ts";
import { containerLogs, logSource } from "./container-logs.ts";

/** Input typed before the container runs is kept up to this. */
const earlyInput_bytes = 1024 * 1024;

/**
 * Output is read from the container's log: exact, in order, from the very first byte of the run whether one attaches before the start or after, and a client
 * that stalls holds up nobody. Only input, and output that is not logged, goes through the monitor's socket.
 */
export async function attachContainer(
  context: EngineContext,
  reference: string,
  options: AttachOptions = {},
): Promise<Session> {
  const id = context.store.find(reference);
  const config = context.store.config(id);
  const seen = look(context, id);
  if (seen.stored.paused && isRunning(seen)) {
    throw new BerthError("conflict", `cannot attach to container ${config.name}: it is paused`, {
      hint: `let it go on: berth unpause ${config.name}`,
    });
  }
  const session = new AttachSession(context, config, options);
  session.open();
  containerEvent(context, config, "attach");
  return session;
}

class AttachSession implements Session {
  readonly tty: boolean;
  readonly output: AsyncIterable<{ stream: "stdout" | "stderr"; data: Buffer }>;
  readonly #context: EngineContext;
  readonly #config: ContainerConfig;
  readonly #options: AttachOptions;
  readonly #closing = new AbortController();
  #streams: Promise<RuntimeStreams | undefined> | undefined;
  #early_bytes = 0;
  #inputEnded = false;

  constructor(context: EngineContext, config: ContainerConfig, options: AttachOptions) {
    this.#context = context;
    this.#config = config;
    this.#options = options;
    this.tty = config.spec.tty ?? false;
    this.output = { [Symbol.asyncIterator]: () => this.#read(this.#position) };
  }

  #position = 0;
  /** What was so when the session was opened: an end after that is seen, also by who begins to read only then. */
  #wasRunning = false;
  #runsBefore = 0;

  /** From here on nothing that the container writes is missed. */
  open(): void {
    const { stream = true, stdin } = this.#options;
    const seen = look(this.#context, this.#config.id);
    this.#wasRunning = isRunning(seen);
    this.#runsBefore = seen.stored.runs;
    this.#position = logSize_bytes(this.#context.paths.log(this.#config.id));
    const wantsInput = Boolean(stdin && this.#config.spec.openStdin);
    if (stream && (wantsInput || !this.#isLogged())) {
      this.#streams = this.#connect();
      this.#streams.catch(() => undefined);
    }
  }

  async write(data: Buffer): Promise<void> {
    if (this.#streams === undefined || this.#inputEnded) return;
    this.#early_bytes += data.length;
    if (this.#early_bytes > earlyInput_bytes) await this.#streams;
    const streams = await this.#streams;
    const { stdin } = streams ?? {};
    if (stdin === undefined || !stdin.writable) return;
    if (!stdin.write(data)) {
      await new Promise<void>(resolve => {
        const done = () => {
          stdin.off("drain", done).off("close", done).off("error", done);
          resolve();
        };
        stdin.on("drain", done).on("close", done).on("error", done);
      });
    }
  }

  endInput(): void {
    if (this.#inputEnded) return;
    this.#inputEnded = true;
    this.#streams?.then(streams => streams?.stdin?.end()).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const streams = await this.#streams?.catch(() => undefined);
    await streams?.[Symbol.asyncDispose]();
  }

  #isLogged(): boolean {
    return logLimits(this.#config.spec.log) !== undefined;
  }

  async *#read(position: number): AsyncGenerator<{ stream: "stdout" | "stderr"; data: Buffer }> {
    const { stdout = true, stderr = true, logs, stream = true } = this.#options;
    const wanted = { stdout, stderr };
    try {
      for await (const record of this.#records(position, logs ?? false, stream)) {
        if (wanted[record.stream]) yield { stream: record.stream, data: record.data };
      }
    } catch (thrown) {
      if (!this.#closing.signal.aborted) throw thrown;
    }
  }

  async *#records(
    position: number,
    logs: boolean,
    stream: boolean,
  ): AsyncGenerator<Pick<LogRecord, "stream" | "data">> {
    const { id } = this.#config;
    const signal = this.#signal();
    if (!this.#isLogged()) {
      if (stream) yield* (await this.#streams)?.output ?? [];
      return;
    }
    const source = logSource(this.#context, id);
    if (!stream) {
      if (logs) yield* containerLogs(this.#context, id, { signal });
      return;
    }
    if (!(await this.#isStarted(signal))) return;
    yield* logs ? readLog(source, { follow: true, signal }) : followLog(source, position, { signal });
  }

  /**
   * Connects to the monitor's socket as soon as there is one. When the start happens in this process, that is before the container's program begins, so that
   * also output which is not logged is seen from its first byte.
   */
  async #connect(): Promise<RuntimeStreams | undefined> {
    const { id } = this.#config;
    const signal = this.#signal();
    const { promise, resolve } = Promise.withResolvers<RuntimeStreams | undefined>();
    let connecting: Promise<RuntimeStreams> | undefined;
    const connect = async () => {
      connecting ??= this.#openStreams(signal);
      resolve(connecting);
      await connecting.catch(() => undefined);
    };
    const remove = this.#context.startHooks.add(id, connect);
    try {
      const started = this.#isStarted(signal).then(async is => (is ? await connect() : resolve(undefined)));
      await Promise.race([promise, started]);
      return await promise;
    } finally {
      remove();
    }
  }

  async #openStreams(signal: AbortSignal): Promise<RuntimeStreams> {
    const { id, spec } = this.#config;
    const bundle = this.#context.paths.bundle(id);
    const stdin = this.#options.stdin ?? false;
    const streams = await this.#context.runtime.attach({ id, bundle, stdin, tty: spec.tty ?? false }, { signal });
    // Where the log gives the output, the socket's copy must be taken away, or the monitor would stop.
    if (this.#isLogged()) void drain(streams);
    return streams;
  }

  /** Resolves true once it runs (or has run since this session was opened), false when it went away. */
  async #isStarted(signal: AbortSignal): Promise<boolean> {
    const { paths, clock, store } = this.#context;
    const { id } = this.#config;
    if (this.#wasRunning) return true;
    using watch = new DirectoryWatch(clock, [paths.container(id)], name => name === "state.json");
    for (;;) {
      if (!store.exists(id)) return false;
      const seen = look(this.#context, id);
      if (isRunning(seen) || seen.observed.kind === "ended" || seen.stored.runs > this.#runsBefore) return true;
      await watch.next({ signal });
    }
  }

  #signal(): AbortSignal {
    const { signal } = this.#options;
    return signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
  }
}

async function drain(streams: RuntimeStreams): Promise<void> {
  try {
    for await (const _ of streams.output);
  } catch {
    // The container has ended, or the session: either way there is nothing left to take away.
  }
}
