const numbers = { stdout: 1, stderr: 2 } as const;

/** Docker's multiplexed stream: [stream, 0, 0, 0, length as 32 bits big-endian], then the bytes. */
export function frame(stream: "stdout" | "stderr", data: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(8 + data.length);
  framed.writeUInt32BE(numbers[stream] << 24, 0);
  framed.writeUInt32BE(data.length, 4);
  data.copy(framed, 8);
  return framed;
}

export const rawType = "application/vnd.docker.raw-stream";
export const multiplexedType = "application/vnd.docker.multiplexed-stream";

/** Content type of a container's output: since 1.42 it tells whether there are frames. */
export function streamType(tty: boolean, version: number): string {
  return tty || version < 42 ? rawType : multiplexedType;
}
