import { BerthError, isCode } from "../../base/errors.ts";
import { retry } from "../../base/retry.ts";
import type { Descriptor, Platform } from "../../model/image.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { TransferOptions } from "../../ports/images.ts";
import { configLimit_bytes, parseConfig } from "../manifest.ts";
import { choosePlatform, normalizePlatform } from "../platform.ts";
import { defaultTag, familiarName, type Reference } from "../reference.ts";
import { retryPolicy } from "./fetch-blob.ts";
import type { RegistryClients } from "./registry-clients.ts";
import type { FetchedManifest, RegistrySession } from "./registry-session.ts";

/** What a reference stands for in its registry. */
export interface Resolved {
  /** What the tag points to: a manifest, or an index of several. */
  top: FetchedManifest;
  /** From the one that answered on: a blob that one mirror lacks, the next may have. */
  sessions: RegistrySession[];
}

/** Asks the mirrors in order, then the registry. What the registry itself says is what gets thrown. */
export async function resolve(
  clients: RegistryClients,
  reference: Reference,
  options: TransferOptions = {},
): Promise<Resolved> {
  const sessions = await clients.sources(reference.domain, options.auth, options);
  const wanted = reference.digest ?? reference.tag ?? defaultTag;
  for (const [index, session] of sessions.entries()) {
    try {
      const top = await withRetry(clients, options, () => session.manifest(reference.path, wanted, options));
      return { top, sessions: sessions.slice(index) };
    } catch (thrown) {
      options.signal?.throwIfAborted();
      if (index === sessions.length - 1) throw explained(thrown, reference);
    }
  }
  throw new BerthError("internal", `no endpoint for ${reference.domain}`);
}

/** The image manifest for a platform: the top one itself, or what its index lists. */
export async function platformManifest(
  clients: RegistryClients,
  { top, sessions }: Resolved,
  reference: Reference,
  platform: Platform,
  options: CallOptions,
): Promise<FetchedManifest> {
  if (top.parsed.kind === "image") return top;
  const name = familiarName(reference);
  const { digest } = choosePlatform(top.parsed.index.manifests, platform, name);
  const failures: unknown[] = [];
  for (const session of sessions) {
    try {
      const found = await withRetry(clients, options, () => session.manifest(reference.path, digest, options));
      if (found.parsed.kind === "image") return found;
      throw new BerthError("unsupported", `pulling ${name}: its index lists another index`);
    } catch (thrown) {
      options.signal?.throwIfAborted();
      failures.push(thrown);
    }
  }
  throw failures.at(-1);
}

/** What can be had of a reference, for which no layer is fetched. */
export async function remotePlatforms(
  clients: RegistryClients,
  { top, sessions }: Resolved,
  reference: Reference,
  options: CallOptions,
): Promise<Platform[]> {
  if (top.parsed.kind === "index") {
    const listed = top.parsed.index.manifests.map(({ platform }) => platform);
    return listed.filter(platform => platform !== undefined && platform.architecture !== "unknown") as Platform[];
  }
  const { config } = top.parsed.manifest;
  const data = await withRetry(clients, options, async () => {
    const parts: Buffer[] = [];
    if (config.size > configLimit_bytes) throw new BerthError("corrupt", `configuration ${config.digest} is too large`);
    for await (const part of await sessions[0]!.blob(reference.path, config, 0, options)) parts.push(part as Buffer);
    return Buffer.concat(parts);
  });
  const parsed = parseConfig(data, undefined, `configuration ${config.digest}`);
  return [normalizePlatform(parsed)];
}

export function withRetry<T>(clients: RegistryClients, { signal }: CallOptions, work: () => Promise<T>): Promise<T> {
  return retry(retryPolicy, { clock: clients.clock, random: clients.random, signal }, work);
}

/** Registries answer "unauthorized" also for what does not exist. */
function explained(thrown: unknown, reference: Reference): unknown {
  const name = familiarName(reference);
  if (isCode(thrown, "unauthorized", "forbidden")) {
    const cause = thrown as BerthError;
    return new BerthError(cause.code, `pulling ${name}: access denied, or it does not exist there (${cause.message})`, {
      cause,
      hint: `check the name; if it is private: berth login ${reference.domain}`,
    });
  }
  if (isCode(thrown, "not_found")) {
    const cause = thrown as BerthError;
    return new BerthError("not_found", `pulling ${name}: not found in the registry (${cause.message})`, {
      cause,
      hint: cause.hint,
    });
  }
  return thrown;
}

export function shortDigest({ digest }: Pick<Descriptor, "digest">): string {
  return digest.slice("sha256:".length, "sha256:".length + 12);
}
