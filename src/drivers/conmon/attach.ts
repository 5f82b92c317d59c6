import type { Socket } from "node:net";
import { join } from "node:path";
import { Writable } from "node:stream";
import { BerthError } from "../../base/errors.ts";
import type { RuntimeStreams } from "../../ports/runtime.ts";
import { SystemError } from "../linux/libc.ts";
import { bundleFiles } from "./monitor-arguments.ts";
import { OutputQueue } from "./output-queue.ts";
import { connectPacketSocket } from "./packet-socket.ts";

/** What a reader may lag behind before output is dropped. */
const lagLimit_bytes = 16 << 20;

/** conmon reads at most so much of a packet and loses the rest. */
const packetLimit_bytes = 8192;

/** First byte of each packet from conmon. */
const stderrMark = 3;

/** Streams of the container or exec whose monitor listens in `directory`. Throws `conflict` where there is no monitor any more. */
export function attachTo(directory: string, input: { stdin: boolean; tty: boolean }): RuntimeStreams {
  const socket = connect(join(directory, bundleFiles.attach));
  const output = new OutputQueue(lagLimit_bytes);
  socket.on("data", (packet: Buffer) => {
    const stream = packet[0] === stderrMark && !input.tty ? "stderr" : "stdout";
    if (packet.length > 1) output.push({ stream, data: packet.subarray(1) });
  });
  socket.once("end", () => {
    output.end();
    socket.destroy();
  });
  // Reset or closed by the monitor's end: the same to a reader.
  socket.on("error", () => output.end());
  socket.once("close", () => output.end());
  return {
    stdin: input.stdin ? packetWriter(socket) : undefined,
    output,
    async [Symbol.asyncDispose]() {
      output.end();
      socket.destroy();
    },
  };
}

function connect(path: string): Socket {
  try {
    return connectPacketSocket(path);
  } catch (thrown) {
    const code = thrown instanceof SystemError ? thrown.code : (thrown as NodeJS.ErrnoException).code;
    if (code !== "ECONNREFUSED" && code !== "ENOENT") throw thrown;
    throw new BerthError("conflict", `attaching at ${path}: no monitor listens there`, {
      hint: "the container does not run, or its monitor was killed: its logs are still there",
      cause: thrown,
    });
  }
}

/** Input cut into packets that conmon takes whole; its end is the end of the container's input. What is written after the container's end is lost, as in a pipe. */
function packetWriter(socket: Socket): Writable {
  return new Writable({
    write(data: Buffer, _encoding, done) {
      writePackets(socket, data).then(() => done(), done);
    },
    final(done) {
      if (socket.writable) socket.end(() => done());
      else done();
    },
  });
}

async function writePackets(socket: Socket, data: Buffer): Promise<void> {
  for (let start = 0; start < data.length; start += packetLimit_bytes) {
    const packet = data.subarray(start, start + packetLimit_bytes);
    // One after the other: several at once would be sent as one packet.
    await new Promise<void>(resolve => {
      if (!socket.writable) return resolve();
      socket.write(packet, () => resolve());
    });
  }
}
