import { createPublicKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { BerthError } from "../../base/errors.ts";
import { readIfThere } from "../atomic-file.ts";
import { parseObject } from "../manifest.ts";

/** What is asked of images under a prefix. */
export type TrustRule =
  | { kind: "accept" }
  | { kind: "reject" }
  /** One good signature by any of the keys; with `matchRepository` it must have been made for this very repository. */
  | { kind: "signed"; keys: TrustKey[]; matchRepository: boolean };

export interface TrustKey {
  /** As the file names it, for errors. */
  name: string;
  key: KeyObject;
}

export interface TrustRules {
  /** Longest prefix first. */
  prefixes: { prefix: string; rule: TrustRule }[];
  otherwise: TrustRule;
}

/** Reads trust.json (docs/design/images.md). A missing file accepts everything; one with a mistake accepts nothing: throws `invalid`. */
export async function readTrustFile(path: string | undefined): Promise<TrustRules> {
  const text = path === undefined ? undefined : await readIfThere(path);
  if (path === undefined || text === undefined) return { prefixes: [], otherwise: { kind: "accept" } };
  const { prefixes = {}, default: otherwise = "accept", ...rest } = parseObject(Buffer.from(text), path);
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw wrong(path, `unknown key ${JSON.stringify(unknown)}`);
  if (typeof prefixes !== "object" || prefixes === null) throw wrong(path, '"prefixes" is no object');
  const rules = await Promise.all(
    Object.entries(prefixes).map(async ([prefix, value]) => ({ prefix, rule: await readRule(value, prefix, path) })),
  );
  return {
    prefixes: rules.sort((a, b) => b.prefix.length - a.prefix.length),
    otherwise: await readRule(otherwise, "default", path),
  };
}

async function readRule(value: unknown, prefix: string, path: string): Promise<TrustRule> {
  if (value === "accept" || value === "reject") return { kind: value };
  const { requires, ...rest } = (value ?? {}) as { requires?: { sigstoreKeys?: unknown; matchRepository?: unknown } };
  const { sigstoreKeys, matchRepository = false, ...more } = requires ?? {};
  const isKeyList =
    Array.isArray(sigstoreKeys) && sigstoreKeys.length > 0 && sigstoreKeys.every(key => typeof key === "string");
  if (!isKeyList || typeof matchRepository !== "boolean" || Object.keys({ ...rest, ...more }).length > 0) {
    throw wrong(
      path,
      `${prefix} is neither "accept" nor "reject" nor {"requires": {"sigstoreKeys": [...], "matchRepository"?: true}}`,
    );
  }
  const keys = await Promise.all(sigstoreKeys.map((name: string) => readKey(name, path)));
  return { kind: "signed", keys, matchRepository };
}

/** A PEM text, or the name of a file with one, relative to trust.json. */
async function readKey(name: string, path: string): Promise<TrustKey> {
  try {
    if (name.startsWith("-----BEGIN")) return { name: "a key in trust.json", key: createPublicKey(name) };
    return { name, key: createPublicKey(await readFile(resolve(dirname(path), name))) };
  } catch (thrown) {
    throw wrong(path, `key ${JSON.stringify(name.slice(0, 100))} cannot be read: ${(thrown as Error).message}`);
  }
}

function wrong(path: string, what: string): BerthError {
  return new BerthError("invalid", `reading ${path}: ${what}`, { hint: "no image is pulled until it is right" });
}
