import type { Duplex } from "node:stream";
import { asBerthError } from "../base/errors.ts";
import type { Session } from "../ports/engine.ts";
import { encodeFrame, FrameReader, frameTypes } from "./frames.ts";

/** Connects a session of the engine with a client's socket until the output ends or the client leaves. */
export async function serveSession(session: Session, socket: Duplex, head: Buffer): Promise<void> {
  await using held = session;
  const reader = new FrameReader();
  let writing = Promise.resolve();
  const receive = (chunk: Buffer) => {
    for (const frame of reader.push(chunk)) {
      if (frame.type === frameTypes.input) {
        // One write after the other; the socket waits while the container does not read.
        socket.pause();
        writing = writing.then(() => held.write(frame.data)).then(() => void socket.resume());
      } else if (frame.type === frameTypes.endOfInput) {
        writing = writing.then(() => held.endInput());
      }
    }
    writing.catch(() => socket.resume());
  };
  const onData = (chunk: Buffer) => {
    try {
      receive(chunk);
    } catch {
      socket.destroy();
    }
  };
  if (head.length > 0) onData(head);
  socket.on("data", onData);
  try {
    for await (const chunk of held.output) {
      if (socket.destroyed) return;
      await send(socket, encodeFrame(chunk.stream === "stderr" ? frameTypes.stderr : frameTypes.stdout, chunk.data));
    }
    await send(socket, encodeFrame(frameTypes.end, Buffer.alloc(0)));
  } catch (thrown) {
    await send(socket, encodeFrame(frameTypes.error, Buffer.from(JSON.stringify(asBerthError(thrown)))));
  } finally {
    socket.end();
  }
}

function send(socket: Duplex, frame: Buffer): Promise<void> {
  if (socket.destroyed || socket.write(frame)) return Promise.resolve();
  return new Promise(resolve => {
    socket.once("drain", resolve);
    socket.once("close", resolve);
  });
}
