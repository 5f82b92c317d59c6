import { readFileSync, realpathSync } from "node:fs";
import { errnoOf } from "../linux/state-files.ts";

/** Whether something is mounted on exactly this path; bind mounts of the same file system too, which device numbers do not show. */
export function isMountPoint(path: string): boolean {
  let real: string;
  try {
    real = realpathSync(path);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return false;
    throw thrown;
  }
  // proc(5): the fifth field is the mount point, with blanks and backslashes as octal escapes.
  const escaped = real.replace(/[ \t\n\\]/g, each => `\\${each.charCodeAt(0).toString(8).padStart(3, "0")}`);
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some(line => line.split(" ")[4] === escaped);
}
