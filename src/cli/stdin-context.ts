import { PassThrough, type Readable } from "node:stream";
import type { CliContext } from "./context.ts";

export type StdinContext = { kind: "dockerfile"; text: string } | { kind: "tar"; stream: Readable };

const magics: [offset: number, bytes: Buffer][] = [
  [257, Buffer.from("ustar")],
  [0, Buffer.from([0x1f, 0x8b])], // gzip
  [0, Buffer.from([0x28, 0xb5, 0x2f, 0xfd])], // zstd
  [0, Buffer.from("BZh")],
  [0, Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])], // xz
];

/** docker's rule for `build -`: an archive is the context, anything else a Dockerfile. */
export async function openStdinContext(context: Pick<CliContext, "stdin">): Promise<StdinContext> {
  const head: Buffer[] = [];
  let size = 0;
  const source = context.stdin[Symbol.asyncIterator]();
  let ended = false;
  while (size < 512 && !ended) {
    const { value, done } = await source.next();
    if (done) ended = true;
    else {
      head.push(Buffer.from(value as Buffer));
      size += head.at(-1)!.length;
    }
  }
  const start = Buffer.concat(head);
  const isArchive = magics.some(([offset, bytes]) => start.subarray(offset, offset + bytes.length).equals(bytes));
  if (!isArchive) {
    const rest: Buffer[] = [start];
    while (!ended) {
      const { value, done } = await source.next();
      if (done) ended = true;
      else rest.push(Buffer.from(value as Buffer));
    }
    return { kind: "dockerfile", text: Buffer.concat(rest).toString("utf8") };
  }
  const stream = new PassThrough();
  stream.write(start);
  if (ended) stream.end();
  else context.stdin.pipe(stream);
  return { kind: "tar", stream };
}
