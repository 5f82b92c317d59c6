import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { BerthError } from "../../base/errors.ts";
import type { SourceFetcher } from "../../ports/build.ts";
import { archiveFormat } from "../copy/archive.ts";
import { unpackContext } from "../tree/unpack-context.ts";

const limit_bytes = 32 * 2 ** 30;

export interface Download {
  path: string;
  fileName: string;
  /** sha256, hex. */
  digest: string;
  modified_ms?: number;
}

/** Fetches a URL into a file; throws `corrupt` when it is not what `checksum` (sha256:…) says. */
export async function download(
  url: string,
  path: string,
  options: { fetcher: SourceFetcher; signal: AbortSignal; checksum?: string },
): Promise<Download> {
  const { fetcher, signal, checksum } = options;
  const { body, fileName, modified_ms } = await fetcher.http(url, { signal, limit_bytes });
  const hash = createHash("sha256");
  await pipeline(
    body,
    async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path, { mode: 0o600 }),
    { signal },
  );
  const digest = hash.digest("hex");
  if (checksum !== undefined && checksum !== `sha256:${digest}`) {
    await rm(path, { force: true });
    throw new BerthError("corrupt", `${url} has the checksum sha256:${digest}, and ${checksum} was wanted`, {
      hint: "the file behind the URL has changed, or the checksum is of another one",
    });
  }
  if (modified_ms !== undefined) await utimes(path, modified_ms / 1000, modified_ms / 1000);
  return { path, fileName, digest, modified_ms };
}

/** A context behind a URL: a tar is unpacked, anything else is the Dockerfile itself. */
export async function downloadContext(
  url: string,
  root: string,
  fetcher: SourceFetcher,
  signal: AbortSignal,
): Promise<void> {
  const path = `${root}.download`;
  await download(url, path, { fetcher, signal });
  const format = archiveFormat(path);
  if (!format) {
    await rename(path, join(root, "Dockerfile"));
    return;
  }
  const file = createReadStream(path);
  const plain = format === "xz" || format === "bzip2" ? await fetcher.decompress(format, file, { signal }) : file;
  await unpackContext(plain, root, signal);
  await rm(path, { force: true });
}
