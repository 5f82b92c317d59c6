import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { BerthError } from "../../base/errors.ts";

/**
 * State as small files. A write goes to a temporary name and is renamed, so that a reader sees the old text or the new one; claims are symbolic links,
 * which the kernel makes atomically, refuses to make twice, and which carry their owner as the target.
 */

/** `durable` survives a power cut; without it a record is as long-lived as /run. */
export function writeJson(path: string, value: unknown, { durable = false }: { durable?: boolean } = {}): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const text = `${JSON.stringify(value, null, 2)}\n`;
  try {
    writeWhole(temporary, text, durable);
  } catch (thrown) {
    if (errnoOf(thrown) !== "ENOENT") throw thrown;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeWhole(temporary, text, durable);
  }
  renameSync(temporary, path);
  if (durable) syncDirectory(dirname(path));
}

function writeWhole(path: string, text: string, durable: boolean): void {
  const fd = openSync(path, "w", 0o600);
  try {
    writeSync(fd, text);
    if (durable) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function syncDirectory(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Undefined where there is no such file. The text is ours, written whole: its shape is trusted. */
export function readJson<T>(path: string): T | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "ENOTDIR") return undefined;
    throw thrown;
  }
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new BerthError("corrupt", `could not read ${path}: it is not JSON`, {
      cause,
      hint: "restore the file from a backup, or remove it",
    });
  }
}

/** Names in a directory, temporary files left out; empty where there is none. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter(name => !name.endsWith(".tmp"));
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return [];
    throw thrown;
  }
}

export function removeFile(path: string): void {
  rmSync(path, { force: true });
}

/** Takes `path` for `owner`; false when it is taken (by the same owner too). */
export function claim(path: string, owner: string): boolean {
  try {
    symlinkSync(owner, path);
    return true;
  } catch (thrown) {
    if (errnoOf(thrown) === "EEXIST") return false;
    if (errnoOf(thrown) !== "ENOENT") throw thrown;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return claim(path, owner);
  }
}

export function claimant(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

/** Gives back what `owner` holds; what somebody else holds stays. */
export function unclaim(path: string, owner: string): void {
  if (claimant(path) !== owner) return;
  try {
    unlinkSync(path);
  } catch (thrown) {
    if (errnoOf(thrown) !== "ENOENT") throw thrown;
  }
}

export function recordsIn<T>(directory: string): { name: string; record: T }[] {
  return namesIn(directory).flatMap(file => {
    const record = file.endsWith(".json") ? readJson<T>(join(directory, file)) : undefined;
    return record === undefined ? [] : [{ name: file.slice(0, -".json".length), record }];
  });
}

export function errnoOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : undefined;
}
