import type { Readable } from "node:stream";
import type { CallOptions } from "./content.ts";
import type { PathStat } from "./engine.ts";

export interface UnpackOptions extends CallOptions {
  /** Refuse to put a directory where something else is, and the reverse. */
  noOverwriteDirNonDir?: boolean;
  /** Keep the archive's owners (default), else the files become root's. */
  copyOwner?: boolean;
}

/**
 * Files below a root that somebody else may be changing at the same time, as a container does with its own. Paths are absolute within the root; links,
 * absolute ones too, are followed inside it and never out of it, by the kernel itself, so that no race leads outside.
 */
export interface RootFiles {
  /** Does not follow the last element. Throws `not_found`. */
  stat(root: string, path: string): Promise<PathStat>;
  /** Where `path` leads, links followed, as an absolute path within the root. Throws `not_found`. */
  resolve(root: string, path: string): Promise<string>;
  /** Tar of `path` and everything below it, the names starting with `as` (default: the last element of `path`; "" for the contents alone). */
  pack(root: string, path: string, options?: CallOptions & { as?: string; skip?: ReadonlySet<string> }): Readable;
  /** Unpacks into the directory `path`, which must be there. Names with `..` are refused (`invalid`). */
  unpack(root: string, path: string, tar: Readable, options?: UnpackOptions): Promise<void>;
  /** Whole file in memory; undefined where there is none, or what is there is no file. Throws `exhausted` above `limit_bytes`. */
  read(root: string, path: string, limit_bytes: number): Promise<Buffer | undefined>;
  /** Makes the directory and its parents (mode 0755, root's) where missing. */
  makeDirectory(root: string, path: string): Promise<void>;
}
