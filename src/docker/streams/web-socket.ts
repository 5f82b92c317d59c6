import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { BerthError } from "../../base/errors.ts";
import type { Exchange } from "../http/exchange.ts";

const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const frameLimit_bytes = 1024 * 1024;
const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Answers a WebSocket's handshake (RFC 6455, section 4.2) and gives the connection as a stream of bytes: each write is a binary message. */
export function acceptWebSocket(exchange: Exchange): Duplex {
  const { headers, socket } = exchange.request;
  const key = headers["sec-websocket-key"];
  if (headers.upgrade?.toLowerCase() !== "websocket" || !key || headers["sec-websocket-version"] !== "13") {
    throw new BerthError("invalid", "this is served to WebSockets of version 13 only", {
      hint: "over plain HTTP use POST /containers/{id}/attach",
    });
  }
  for (const event of ["data", "end", "drain", "timeout"]) socket.removeAllListeners(event);
  const accept = createHash("sha1")
    .update(key + magic)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.setNoDelay(true);
  return new WebSocketStream(socket);
}

class WebSocketStream extends Duplex {
  readonly #socket: Socket;
  #pending = Buffer.alloc(0);

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on("data", chunk => this.#receive(chunk));
    socket.on("end", () => this.push(null));
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (!this.#socket.writable || this.#socket.write(message(opcodes.binary, chunk))) done();
    else this.#socket.once("drain", done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#socket.writable) this.#socket.end(message(opcodes.close, Buffer.from([3, 232])));
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroySoon();
    done(error);
  }

  #receive(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const parsed = parseFrame(this.#pending);
      if (parsed === "more") return;
      if (parsed === "bad") return void this.destroy();
      this.#pending = this.#pending.subarray(parsed.size);
      this.#handle(parsed.opcode, parsed.data);
    }
  }

  #handle(opcode: number, data: Buffer): void {
    if (opcode === opcodes.close) this.push(null);
    else if (opcode === opcodes.ping) this.#socket.write(message(opcodes.pong, data));
    else if (opcode <= opcodes.binary && !this.push(data)) this.#socket.pause();
  }
}

/** RFC 6455, section 5.2; a client's frames are masked, or they are none. */
function parseFrame(bytes: Buffer): "more" | "bad" | { opcode: number; data: Buffer; size: number } {
  if (bytes.length < 2) return "more";
  const opcode = bytes[0]! & 0x0f;
  const short = bytes[1]! & 0x7f;
  if ((bytes[1]! & 0x80) === 0) return "bad";
  const lengthSize = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + lengthSize + 4;
  if (bytes.length < start) return "more";
  const length = lengthSize === 0 ? short : lengthSize === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (length > frameLimit_bytes) return "bad";
  if (bytes.length < start + length) return "more";
  const mask = bytes.subarray(start - 4, start);
  const data = Buffer.from(bytes.subarray(start, start + length));
  for (let index = 0; index < data.length; index++) data[index]! ^= mask[index % 4]!;
  return { opcode, data, size: start + length };
}

function message(opcode: number, data: Buffer): Buffer {
  const header = Buffer.alloc(data.length < 126 ? 2 : data.length < 65536 ? 4 : 10);
  header[0] = 0x80 | opcode;
  if (data.length < 126) header[1] = data.length;
  else if (data.length < 65536) {
    header[1] = 126;
    header.writeUInt16BE(data.length, 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(data.length), 2);
  }
  return Buffer.concat([header, data]);
}
