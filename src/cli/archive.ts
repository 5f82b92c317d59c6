import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BerthError } from "../base/errors.ts";
import type { CliContext } from "./context.ts";

/** Writes an archive to a file (whole or not at all) or to stdout, unless that is a terminal. */
export async function writeArchive(context: CliContext, source: Readable, path: string | undefined): Promise<void> {
  if (path === undefined || path === "-") {
    if (context.stdout.isTTY)
      throw new BerthError("invalid", "an archive is not written to a terminal", { hint: "use -o FILE, or a pipe" });
    await pipeline(source, context.stdout, { end: false });
    return;
  }
  const target = resolve(context.cwd, path);
  const partial = `${target}.partial`;
  try {
    await pipeline(source, createWriteStream(partial));
    await rename(partial, target);
  } catch (thrown) {
    await rm(partial, { force: true });
    throw thrown;
  }
}

/** An archive from a file or from stdin. */
export function readArchive(context: CliContext, path: string | undefined): Readable {
  if (path !== undefined && path !== "-") return createReadStream(resolve(context.cwd, path));
  if (context.stdin.isTTY)
    throw new BerthError("invalid", "an archive is expected on stdin, and that is a terminal", {
      hint: "name a file, or use a pipe",
    });
  return context.stdin;
}
