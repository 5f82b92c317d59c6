import { BerthError } from "../base/errors.ts";

/**
 * Frames of a session: one byte of type, four of length (big endian), the payload.
 * Server to client: stdout, stderr, error (JSON body). Client to server: input, endOfInput (empty).
 */
export const frameTypes = { input: 0, stdout: 1, stderr: 2, endOfInput: 3, error: 4, end: 5 } as const;

export interface Frame {
  type: number;
  data: Buffer;
}

const largest_bytes = 1024 * 1024;

export function encodeFrame(type: number, data: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(5 + data.length);
  frame.writeUInt8(type, 0);
  frame.writeUInt32BE(data.length, 1);
  data.copy(frame, 5);
  return frame;
}

/** Cuts a byte stream into frames, wherever its chunks end. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Throws `invalid` on a frame above 1 MiB. */
  push(chunk: Buffer): Frame[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    while (this.#rest.length >= 5) {
      const length = this.#rest.readUInt32BE(1);
      if (length > largest_bytes)
        throw new BerthError("invalid", `session frame of ${length} bytes; at most ${largest_bytes} are allowed`);
      if (this.#rest.length < 5 + length) break;
      frames.push({ type: this.#rest[0]!, data: this.#rest.subarray(5, 5 + length) });
      this.#rest = this.#rest.subarray(5 + length);
    }
    return frames;
  }
}
