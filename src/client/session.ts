import type { Socket } from "node:net";
import { encodeFrame, FrameReader, frameTypes } from "../api/frames.ts";
import { BerthError, type ErrorBody } from "../base/errors.ts";
import type { Session } from "../ports/engine.ts";

/** A session over an upgraded connection. */
export function remoteSession(socket: Socket, head: Buffer, tty: boolean): Session {
  return {
    tty,
    write(data) {
      if (socket.destroyed) return Promise.reject(new BerthError("cancelled", "the session has ended"));
      return new Promise((resolve, reject) => {
        socket.write(encodeFrame(frameTypes.input, data), error => (error ? reject(error) : resolve()));
      });
    },
    endInput() {
      if (!socket.destroyed) socket.write(encodeFrame(frameTypes.endOfInput, Buffer.alloc(0)));
    },
    output: readOutput(socket, head),
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}

async function* readOutput(
  socket: Socket,
  head: Buffer,
): AsyncGenerator<{ stream: "stdout" | "stderr"; data: Buffer }> {
  const reader = new FrameReader();
  let ended = false;
  if (head.length > 0) socket.unshift(head);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    for (const frame of reader.push(chunk)) {
      if (frame.type === frameTypes.error)
        throw BerthError.fromJSON(JSON.parse(frame.data.toString("utf8")) as ErrorBody);
      if (frame.type === frameTypes.end) ended = true;
      else yield { stream: frame.type === frameTypes.stderr ? "stderr" : "stdout", data: frame.data };
    }
    if (ended) return;
  }
  if (!ended)
    throw new BerthError("unavailable", "the connection to berthd was lost; the container keeps running", {
      hint: "attach again",
    });
}
