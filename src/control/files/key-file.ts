import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { BerthError } from "../../base/errors.ts";

/**
 * The key in `path` (64 hex digits a line, the current one first), made where there is none. Only its owner may read it; anything else is refused rather than
 * mended, since it may have been read already.
 */
export function readKeyFile(path: string): Buffer[] {
  if (!existsSync(path)) writeKeyFile(path, [randomBytes(32)]);
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw new BerthError(
      "forbidden",
      `reading the store key ${path}: its mode ${mode.toString(8)} lets others read it`,
      {
        hint: `chmod 600 ${path}, and rotate the key if others had access`,
      },
    );
  }
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  if (lines.length === 0 || !lines.every(line => /^[0-9a-f]{64}$/.test(line))) {
    throw new BerthError("corrupt", `reading the store key ${path}: it is not lines of 64 hex digits`, {
      hint: "put the key file of the backup back; secrets cannot be opened without it",
    });
  }
  return lines.map(line => Buffer.from(line, "hex"));
}

export function writeKeyFile(path: string, keys: Buffer[]): void {
  const temporary = `${path}.new`;
  const descriptor = openSync(temporary, "w", 0o600);
  try {
    writeSync(descriptor, keys.map(key => `${key.toString("hex")}\n`).join(""));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
  const directory = openSync(dirname(path), "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
