/** Over TCP each message has its length before it, two bytes (RFC 1035 section 4.2.2). */
export function tcpFrame(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Cuts a stream into messages. Keeps at most one unfinished message: 64 KiB. */
export class TcpFrames {
  readonly #deliver: (message: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(deliver: (message: Buffer) => void) {
    this.#deliver = deliver;
  }

  push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 2) {
      const end = 2 + this.#rest.readUInt16BE(0);
      if (this.#rest.length < end) return;
      const message = this.#rest.subarray(2, end);
      this.#rest = this.#rest.subarray(end);
      this.#deliver(message);
    }
  }
}
