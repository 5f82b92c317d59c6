import { readFileSync } from "node:fs";
import type { FileSource } from "../../appfile/input.ts";
import { BerthError } from "../../base/errors.ts";

/** The files of this host, and the standard input as "-". */
export function localFileSource(): FileSource {
  return {
    read(path) {
      try {
        return readFileSync(path === "-" ? 0 : path, "utf8");
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === "ENOENT" || code === "ENOTDIR") return undefined;
        if (code === "EISDIR") throw new BerthError("invalid", `reading ${path}: it is a directory`, { cause: error });
        throw new BerthError("forbidden", `reading ${path}: ${message}`, { cause: error });
      }
    },
  };
}
