import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../base/env.ts";
import { BerthError } from "../base/errors.ts";

/** What a host's owner decides about berthd. */
export interface DaemonSettings {
  /** Apps may run commands on the host (x-berth.host_hooks). */
  allowHostHooks: boolean;
  /** A line for the shell that prints the store's key or passphrase; absent: a key file beside the store. */
  storeKeyCommand?: string;
}

export const daemonSettingsPath = (root: string) => join(root, "berthd.json");

/** Takes berthd's own options out of its arguments; the others are the host's settings. */
export function takeDaemonFlags(argv: string[]): { flags: Partial<DaemonSettings>; rest: string[] } {
  const flags: Partial<DaemonSettings> = {};
  const rest: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const [name = "", inline] = argv[at]!.split(/=(.*)/s);
    if (name === "--allow-host-hooks") flags.allowHostHooks = true;
    else if (name === "--store-key-command") {
      const value = inline ?? argv[++at];
      if (!value) throw new BerthError("invalid", `${name} needs a value`);
      flags.storeKeyCommand = value;
    } else rest.push(argv[at]!);
  }
  return { flags, rest };
}

/** Options, then BERTH_ALLOW_HOST_HOOKS=1 and BERTH_STORE_KEY_COMMAND, then the file `berthd.json` in the root directory: that holds however berthd is started. */
export function daemonSettings(flags: Partial<DaemonSettings>, environment: Environment, root: string): DaemonSettings {
  const file = readSettingsFile(daemonSettingsPath(root));
  const storeKeyCommand =
    flags.storeKeyCommand ?? environment["BERTH_STORE_KEY_COMMAND"] ?? file.store_key_command ?? undefined;
  return {
    allowHostHooks:
      flags.allowHostHooks ?? (environment["BERTH_ALLOW_HOST_HOOKS"] === "1" || (file.allow_host_hooks ?? false)),
    ...(storeKeyCommand === undefined ? {} : { storeKeyCommand }),
  };
}

interface SettingsFile {
  allow_host_hooks?: boolean;
  store_key_command?: string;
}

/** It names commands that berthd runs: only its owner may write it. */
function readSettingsFile(path: string): SettingsFile {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return {};
  if ((stat.mode & 0o022) !== 0) {
    throw new BerthError("forbidden", `reading ${path}: others than its owner may write it`, {
      hint: `chmod 600 ${path}`,
    });
  }
  const refuse = (why: string, cause?: unknown) =>
    new BerthError("invalid", `reading ${path}: ${why}`, {
      cause,
      hint: 'it is like {"allow_host_hooks": true, "store_key_command": "pass show berth"}',
    });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (thrown) {
    throw refuse("it is not JSON", thrown);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refuse("it is not an object");
  const file: SettingsFile = {};
  for (const [key, given] of Object.entries(value)) {
    if (key === "allow_host_hooks" && typeof given === "boolean") file.allow_host_hooks = given;
    else if (key === "store_key_command" && typeof given === "string") file.store_key_command = given;
    else throw refuse(`"${key}" is not a setting, or not of its type`);
  }
  return file;
}
