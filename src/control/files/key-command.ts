import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { RunProgram } from "../../ports/programs.ts";
import { readKeyFile, writeKeyFile } from "./key-file.ts";
import { keyFromPassphrase } from "./keyring.ts";

const commandLimit_ms = 15_000;
const shortestPassphrase = 12;

/**
 * The keys of the store in `directory`, the current one first: from its key file, or from what `command` (a line for the shell) prints. That is keys of 64 hex
 * digits a line, or one passphrase. A key file that is still there opens what was sealed with it before.
 */
export async function storeKeys(
  directory: string,
  command: string | undefined,
  runProgram: RunProgram,
): Promise<Buffer[]> {
  const keyPath = join(directory, "key");
  // Beside the store from the first use of a command on: it makes a passphrase's key this store's own, and shows that there is one.
  const saltPath = join(directory, "key-salt");
  if (command === undefined) {
    if (!existsSync(saltPath) || existsSync(keyPath)) return readKeyFile(keyPath);
    throw new BerthError(
      "forbidden",
      `opening the store in ${directory}: its key comes from a command, and none is given`,
      {
        hint: "start berthd with --store-key-command, or set store_key_command in its settings file",
      },
    );
  }
  const lines = await printed(command, runProgram);
  if (!existsSync(saltPath)) writeKeyFile(saltPath, [randomBytes(32)]);
  const older = existsSync(keyPath) ? readKeyFile(keyPath) : [];
  if (lines.every(line => /^[0-9a-f]{64}$/.test(line))) {
    return [...lines.map(line => Buffer.from(line, "hex")), ...older];
  }
  const [passphrase = "", ...rest] = lines;
  if (rest.length > 0 || passphrase.length < shortestPassphrase) {
    throw new BerthError("invalid", `the store key's command printed neither keys nor one passphrase`, {
      hint: `let it print lines of 64 hex digits, or one line of at least ${shortestPassphrase} characters`,
    });
  }
  return [keyFromPassphrase(passphrase, readSalt(saltPath)), ...older];
}

function readSalt(path: string): Buffer {
  return Buffer.from(readFileSync(path, "utf8").trim(), "hex");
}

/** What it prints is never in an error. */
async function printed(command: string, runProgram: RunProgram): Promise<string[]> {
  const { exitCode, stdout, stderr } = await runProgram("/bin/sh", ["-c", command], { timeout_ms: commandLimit_ms });
  if (exitCode !== 0) {
    const said = stderr.trim().split("\n").at(-1);
    throw new BerthError("unavailable", `the store key's command ended with ${exitCode}${said ? `: ${said}` : ""}`, {
      hint: `it is "${command}"`,
    });
  }
  return stdout
    .split("\n")
    .map(line => line.trimEnd())
    .filter(Boolean);
}
