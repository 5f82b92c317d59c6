import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { asBerthError, BerthError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { StoreKey } from "../image/content/store-key.ts";
import type { ContentStore } from "../ports/content.ts";
import type { Locks } from "../ports/locks.ts";
import { parseRegistryConfig, type RegistryConfig } from "../registry/config.ts";
import { Registry, type Upstream } from "../registry/registry.ts";
import { listenRegistry } from "./listen-registry.ts";
import { openUpstream } from "./open-upstream.ts";
import type { HostSettings } from "./settings.ts";

const collect_ms = 60 * 60 * 1000;

interface HostRegistryInput {
  settings: HostSettings;
  content: ContentStore;
  locks: Locks;
  upstream?: Upstream;
}

/** The registry of a host: its repositories beside the engine's images, its bytes in the engine's own store, so that nothing is there twice. */
export function openHostRegistry({ settings, content, locks, upstream }: HostRegistryInput): Registry {
  return new Registry({ root: rootOf(settings), content, locks, clock: systemClock, upstream });
}

/**
 * Serves the host's registry where `--registry HOST:PORT` or `registry` in berthd.json asks for it. A registry that cannot be served keeps nothing else from
 * running; the log says why.
 */
export async function serveHostRegistry(
  settings: HostSettings,
  parts: { content: ContentStore; locks: Locks; storeKey: StoreKey },
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  try {
    const config = readConfig(settings);
    if (config === undefined) return;
    const upstream = config.mirror === undefined ? undefined : await openUpstream(config.mirror, process.env);
    const registry = openHostRegistry({ settings, ...parts, upstream });
    const root = rootOf(settings);
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const server = await listenRegistry({ registry, config, root, logger, storeKey: parts.storeKey });
    logger.log("info", "registry is ready", { listen: config.listen });
    // What it gives up here goes from the disk with the images' own collection.
    const timer = setInterval(() => {
      registry
        .collect()
        .catch(thrown => logger.log("error", `collecting in the registry: ${asBerthError(thrown).message}`));
    }, collect_ms);
    const end = () => {
      clearInterval(timer);
      server[Symbol.asyncDispose]().catch(thrown => logger.log("error", asBerthError(thrown).message));
    };
    signal.addEventListener("abort", end, { once: true });
  } catch (thrown) {
    const error = asBerthError(thrown);
    logger.log("error", `the registry is not served: ${error.message}`, { hint: error.hint });
  }
}

/** Undefined: no registry is wanted. */
function readConfig(settings: HostSettings): RegistryConfig | undefined {
  const path = join(process.env["BERTH_CONFIG"] ?? "/etc/berth", "berthd.json");
  const wanted = readFile(path);
  if (wanted === undefined && settings.registry === undefined) return undefined;
  const config = parseRegistryConfig(JSON.stringify(wanted ?? {}), `registry in ${path}`);
  return { ...config, listen: settings.registry ?? config.listen };
}

function readFile(path: string): object | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
  try {
    return (JSON.parse(text) as { registry?: object }).registry;
  } catch (cause) {
    throw new BerthError("invalid", `${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

const rootOf = (settings: HostSettings) => join(settings.root, "registry");
