import { BerthError } from "../base/errors.ts";
import type { Session } from "../ports/engine.ts";
import type { CliContext } from "./context.ts";

/** Docker's detach keys: comma-separated, a letter or ctrl-<letter>. */
export function parseDetachKeys(text: string): Buffer {
  if (text === "") return Buffer.alloc(0);
  const codes = text.split(",").map(key => {
    if (key.length === 1) return key.charCodeAt(0);
    const match = /^ctrl-([a-z@[\\\]^_])$/.exec(key);
    if (match === null)
      throw new BerthError("invalid", `detach keys "${text}": "${key}" is no key`, {
        hint: "for example ctrl-p,ctrl-q or ctrl-x",
      });
    return match[1]!.charCodeAt(0) & 0x1f;
  });
  return Buffer.from(codes);
}

/** Finds the detach sequence in what is typed, also when it comes in pieces; keys that turn out not to belong to it are passed on. */
export class DetachWatcher {
  readonly #keys: Buffer;
  #matched = 0;

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  push(typed: Buffer): { pass: Buffer; detached: boolean } {
    if (this.#keys.length === 0) return { pass: typed, detached: false };
    const pass: number[] = [];
    for (const byte of typed) {
      if (byte === this.#keys[this.#matched]) {
        if (++this.#matched === this.#keys.length) return { pass: Buffer.from(pass), detached: true };
        continue;
      }
      pass.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) pass.push(byte);
    }
    return { pass: Buffer.from(pass), detached: false };
  }
}

export interface Joined {
  interactive: boolean;
  /** Put the terminal into raw mode and follow its size. */
  tty: boolean;
  detachKeys: string;
  resize: (rows: number, columns: number) => Promise<void>;
}

export type JoinResult = "ended" | "detached";

/** Connects the terminal with a session until it ends or the user detaches. The terminal is given back as it was, whatever happens. */
export async function joinSession(context: CliContext, session: Session, options: Joined): Promise<JoinResult> {
  const raw = options.tty && options.interactive && context.stdin.isTTY === true;
  const undo: (() => void)[] = [];
  let detached = false;
  try {
    if (options.tty && context.stdout.isTTY) undo.push(followSize(context, options.resize));
    if (raw) {
      context.stdin.setRawMode?.(true);
      undo.push(() => context.stdin.setRawMode?.(false));
    }
    if (options.interactive) {
      const stop = pumpInput(
        context,
        session,
        new DetachWatcher(raw ? parseDetachKeys(options.detachKeys) : Buffer.alloc(0)),
        () => {
          detached = true;
          void session[Symbol.asyncDispose]();
        },
      );
      undo.push(stop);
    }
    await pumpOutput(context, session);
    return detached ? "detached" : "ended";
  } catch (thrown) {
    if (detached) return "detached";
    throw thrown;
  } finally {
    for (const step of undo.reverse()) step();
  }
}

async function pumpOutput(context: CliContext, session: Session): Promise<void> {
  for await (const { stream, data } of session.output) {
    const target = stream === "stderr" ? context.stderr : context.stdout;
    if (!target.write(data)) await new Promise(resolve => target.once("drain", resolve));
  }
}

function pumpInput(context: CliContext, session: Session, watcher: DetachWatcher, onDetach: () => void): () => void {
  const { stdin } = context;
  const onData = (data: Buffer | string) => {
    const { pass, detached } = watcher.push(Buffer.from(data));
    if (detached) return onDetach();
    if (pass.length === 0) return;
    stdin.pause();
    // A container that has ended takes no input; its end shows on the output side.
    session.write(pass).then(
      () => void stdin.resume(),
      () => undefined,
    );
  };
  const onEnd = () => session.endInput();
  stdin.on("data", onData);
  stdin.once("end", onEnd);
  stdin.resume();
  return () => {
    stdin.off("data", onData);
    stdin.off("end", onEnd);
    stdin.pause();
  };
}

function followSize(context: CliContext, resize: Joined["resize"]): () => void {
  const send = () => {
    const { rows, columns } = context.stdout;
    if (rows && columns) resize(rows, columns).catch(() => undefined);
  };
  send();
  context.stdout.on("resize", send);
  return () => context.stdout.off("resize", send);
}
