import { BerthError } from "../base/errors.ts";
import type { FileSource } from "./input.ts";
import { limits } from "./limits.ts";
import type { SourceText } from "./node.ts";

/** Reads each file once, and not without end. */
export class Reader {
  readonly #files: FileSource;
  readonly #read = new Map<string, SourceText | undefined>();

  constructor(files: FileSource) {
    this.#files = files;
  }

  /** The text, or undefined where there is no such file. Throws `invalid` for too many files, and what the source throws. */
  read(path: string): SourceText | undefined {
    if (this.#read.has(path)) return this.#read.get(path);
    if (this.#read.size >= limits.files) {
      throw new BerthError("invalid", `reading ${path}: the app takes more than ${limits.files} files`);
    }
    const text = this.#files.read(path);
    if (text !== undefined && text.length > limits.fileLength) {
      throw new BerthError("invalid", `reading ${path}: it has more than ${limits.fileLength} characters`);
    }
    const source = text === undefined ? undefined : { path, text };
    this.#read.set(path, source);
    return source;
  }
}
