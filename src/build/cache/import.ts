import { BerthError } from "../../base/errors.ts";
import type { BuildInput, CacheLocation } from "../../ports/build.ts";
import type { BuilderParts, ImportedCache } from "../execute/parts.ts";
import type { BuildProgress } from "../execute/progress.ts";
import { importFromDirectory } from "./local-layout.ts";
import { importFromRegistry } from "./registry-cache.ts";

export function registryClients(parts: BuilderParts) {
  if (parts.clients) return parts.clients;
  throw new BerthError("unsupported", "a build cache in a registry: this builder has no way to registries");
}

/** The caches of --cache-from, in order. One that is not there or does not answer is a warning: the build goes on without it. */
export async function importCaches(
  parts: BuilderParts,
  input: BuildInput,
  progress: BuildProgress,
  signal: AbortSignal,
): Promise<ImportedCache[]> {
  const { content } = parts.images;
  const open = async (location: CacheLocation): Promise<ImportedCache | undefined> => {
    if (location.type === "local") return importFromDirectory(location.path, content);
    return importFromRegistry(location.reference, {
      clients: registryClients(parts),
      content,
      signal,
      auth: input.auth,
    });
  };
  const found = await Promise.all(
    (input.cacheFrom ?? []).map(async location => {
      const name = location.type === "local" ? location.path : location.reference;
      try {
        const cache = await open(location);
        if (!cache) progress.warn(`there is no build cache at ${name}`);
        return cache;
      } catch (thrown) {
        signal.throwIfAborted();
        progress.warn(`the build cache ${name} is not used: ${thrown instanceof Error ? thrown.message : thrown}`);
        return undefined;
      }
    }),
  );
  return found.filter(cache => cache !== undefined);
}
