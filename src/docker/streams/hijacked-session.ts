import type { Duplex, Readable } from "node:stream";
import { asBerthError } from "../../base/errors.ts";
import type { Session } from "../../ports/engine.ts";
import { writeTo } from "../http/line-writer.ts";
import { DetachKeys } from "./detach-keys.ts";
import { frame } from "./frame.ts";

export interface SessionStreams {
  /** Where output goes; closed when it ends. */
  output: Duplex;
  /** Where input comes from: the same connection, or a chunked request body. */
  input: Readable;
  /** Keys that end the session. Only terminals have them. */
  detachKeys: number[];
  /** Both streams as one, also without a terminal. */
  unframed?: boolean;
}

/** Joins a client's connection with a session until the output ends, the client goes away, or it types the detach keys. Never throws. */
export async function joinSession(session: Session, streams: SessionStreams): Promise<void> {
  const { output, input } = streams;
  const raw = session.tty || streams.unframed;
  const gone = new AbortController();
  const leave = () => gone.abort();
  output.once("close", leave);
  readInput(session, input, session.tty ? new DetachKeys(streams.detachKeys) : undefined, leave);
  try {
    // Disposing ends the output, also while it is silent.
    gone.signal.addEventListener("abort", () => void dispose(session));
    for await (const { stream, data } of session.output) {
      if (!(await writeTo(output, raw ? data : frame(stream, data), gone.signal))) break;
    }
  } catch (thrown) {
    if (!gone.signal.aborted && output.writable) {
      const text = Buffer.from(`${asBerthError(thrown).message}\n`);
      output.write(raw ? text : frame("stderr", text));
    }
  } finally {
    output.off("close", leave);
    output.end();
    input.destroyed || input.resume();
    await dispose(session);
  }
}

/** What ends a session may have ended the container's streams before. */
async function dispose(session: Session): Promise<void> {
  try {
    await session[Symbol.asyncDispose]();
  } catch {
    // Nothing is left to let go of.
  }
}

/** One chunk at a time, so that a container that does not read holds its client up and not our memory. */
function readInput(session: Session, input: Readable, keys: DetachKeys | undefined, leave: () => void): void {
  const pass = async (chunk: Buffer) => {
    const { rest, detached } = keys?.filter(chunk) ?? { rest: chunk, detached: false };
    if (rest.length > 0) await session.write(rest);
    if (detached) leave();
  };
  input.on("data", (chunk: Buffer) => {
    input.pause();
    // Who no longer reads its input is no reason to stop its output.
    pass(chunk).then(
      () => input.resume(),
      () => input.resume(),
    );
  });
  input.once("end", () => session.endInput());
  input.resume();
}
