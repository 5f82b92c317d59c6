import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../linux/state-files.ts";

/** Bytes in all files below, each inode once, as Docker counts. Files that go meanwhile count for nothing. */
export async function directorySize_bytes(directory: string): Promise<number> {
  const seen = new Set<string>();
  let total_bytes = 0;
  const pending = [directory];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const entry of await orGone(readdir(next, { withFileTypes: true }), [])) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) pending.push(path);
      const stat = await orGone(lstat(path), undefined);
      if (stat === undefined || entry.isDirectory()) continue;
      const inode = `${stat.dev}:${stat.ino}`;
      if (stat.nlink > 1 && seen.has(inode)) continue;
      if (stat.nlink > 1) seen.add(inode);
      total_bytes += stat.size;
    }
  }
  return total_bytes;
}

async function orGone<T>(work: Promise<T>, instead: T): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return instead;
    throw thrown;
  }
}
