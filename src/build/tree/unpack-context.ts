import {
  chmodSync,
  closeSync,
  fchmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { BerthError } from "../../base/errors.ts";
import { decompress } from "../../image/layer/decompress.ts";
import { type TarEntry, type TarSink, toText } from "../../image/layer/tar-entry.ts";
import { TarParser } from "../../image/layer/tar-parser.ts";
import { cleanPath } from "../match/ignore.ts";

const bounds = { entries: 2_000_000, bytes: 64 * 2 ** 30 };

/** Writes an archive into an empty directory that nobody else writes to. Links are made, and never written through. */
class DirectorySink implements TarSink {
  readonly #root: string;
  readonly #kinds = new Map<string, "directory" | "file" | "link">([["", "directory"]]);
  readonly #times: [path: string, seconds: number][] = [];
  #open: number | undefined;
  #bytes = 0;

  constructor(root: string) {
    this.#root = root;
  }

  entry(member: TarEntry): void {
    const name = toText(member.path);
    const path = cleanPath(name);
    if (name.split("/").includes("..")) throw bad(name, "leads out of the context");
    if (this.#kinds.size > bounds.entries)
      throw new BerthError("exhausted", `the context has more than ${bounds.entries} files`);
    if (path === "") return;
    this.#directory(posix.dirname(path) === "." ? "" : posix.dirname(path), name);
    const host = `${this.#root}/${path}`;
    const before = this.#kinds.get(path);
    if (before === "directory" && member.type !== "directory") throw bad(name, "replaces a directory");
    if (before !== undefined && before !== "directory") rmSync(host);
    this.#make(member, path, host, name);
    this.#times.push([host, member.mtime.seconds]);
  }

  #make(member: TarEntry, path: string, host: string, name: string) {
    if (member.type === "directory") {
      if (this.#kinds.get(path) !== "directory") mkdirSync(host);
      // Not through mkdir's mode: the umask would take bits away.
      chmodSync(host, member.mode);
      this.#kinds.set(path, "directory");
    } else if (member.type === "symlink") {
      symlinkSync(toText(member.link), host);
      this.#kinds.set(path, "link");
    } else if (member.type === "hardlink") {
      const target = cleanPath(toText(member.link));
      if (this.#kinds.get(target) !== "file")
        throw bad(name, `is a hard link to ${target}, which is no file before it`);
      linkSync(`${this.#root}/${target}`, host);
      this.#kinds.set(path, "file");
    } else if (member.type === "file") {
      this.#bytes += member.size;
      if (this.#bytes > bounds.bytes)
        throw new BerthError("exhausted", `the context has more than ${bounds.bytes} bytes`);
      this.#open = openSync(host, "wx");
      fchmodSync(this.#open, member.mode);
      this.#kinds.set(path, "file");
    } else throw bad(name, `is a ${member.type} device or fifo, which a context cannot hold`);
  }

  #directory(path: string, name: string) {
    const kind = this.#kinds.get(path);
    if (kind === "directory") return;
    if (kind !== undefined) throw bad(name, `lies below ${path}, which is no directory`);
    const parent = posix.dirname(path);
    this.#directory(parent === "." ? "" : parent, name);
    mkdirSync(`${this.#root}/${path}`);
    this.#kinds.set(path, "directory");
  }

  data(chunk: Buffer, offset: number): void {
    if (this.#open !== undefined) writeSync(this.#open, chunk, 0, chunk.length, offset);
  }

  end(): void {
    if (this.#open !== undefined) closeSync(this.#open);
    this.#open = undefined;
  }

  /** Directories last: making files in them changes their times. */
  finish() {
    for (const [path, seconds] of this.#times.reverse()) lutimesSync(path, seconds, seconds);
  }
}

function bad(name: string, why: string): BerthError {
  return new BerthError("invalid", `unpacking the build context: ${JSON.stringify(name)} ${why}`);
}

/** Unpacks a context that came as a tar, plain or compressed, into the empty directory `root`. Owners are dropped: COPY gives files to root anyway. */
export async function unpackContext(source: Readable, root: string, signal: AbortSignal): Promise<void> {
  const sink = new DirectorySink(root);
  const parser = new TarParser(sink);
  try {
    for await (const chunk of decompress(source as AsyncIterable<Buffer>)) {
      signal.throwIfAborted();
      parser.push(chunk);
    }
    parser.finish();
    sink.finish();
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown;
  } finally {
    sink.end();
    source.destroy();
  }
}
