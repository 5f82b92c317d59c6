import { constants, mkdirSync } from "node:fs";
import { posix } from "node:path";
import { SystemError } from "../linux/libc.ts";
import { O_PATH, type OpenFile, openInRoot } from "./open-in-root.ts";

/** mkdir -p inside the root. */
export function makeDirectoryInRoot(root: OpenFile, path: string): void {
  try {
    openInRoot(root, path, O_PATH | constants.O_DIRECTORY)[Symbol.dispose]();
    return;
  } catch (thrown) {
    if (!(thrown instanceof SystemError) || thrown.code !== "ENOENT") throw thrown;
  }
  const above = posix.dirname(path);
  makeDirectoryInRoot(root, above);
  using parent = openInRoot(root, above, O_PATH | constants.O_DIRECTORY);
  try {
    mkdirSync(`${parent.path}/${posix.basename(path)}`, 0o755);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
  }
}
