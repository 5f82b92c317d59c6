import type { ImageConfig } from "../../model/image.ts";
import type { BuildVertex } from "../../ports/build.ts";
import type { BuildSession, StageResult } from "../execute/parts.ts";
import { encodeRecords, inlineKey } from "./cache-file.ts";
import { registryClients } from "./import.ts";
import { exportToDirectory } from "./local-layout.ts";
import { exportToRegistry } from "./registry-cache.ts";

/** Writes this build's steps to every --cache-to; all of them, those of intermediate stages too. */
export async function exportCaches(session: BuildSession): Promise<void> {
  const { input, parts, signal, used } = session;
  const { content } = parts.images;
  for (const location of input.cacheTo ?? []) {
    if (location.type === "inline") continue;
    const name = location.type === "local" ? location.path : location.reference;
    const vertex: BuildVertex = { id: `cache ${name}`, name: `export cache to ${name}`, stage: "" };
    await session.progress.vertex(vertex, async () => {
      if (location.type === "local") return { value: await exportToDirectory(location.path, used, content, signal) };
      const onProgress = session.progress.transfer(vertex);
      return {
        value: await exportToRegistry(location.reference, used, {
          clients: registryClients(parts),
          content,
          signal,
          auth: input.auth,
          onProgress,
        }),
      };
    });
  }
}

/** The image's configuration with the records of its own layers in it, where `type=inline` asks for that. */
export function withInlineCache(session: BuildSession, result: StageResult, config: ImageConfig): ImageConfig {
  const asked =
    session.input.cacheTo?.some(location => location.type === "inline") ||
    session.input.args?.["BUILDKIT_INLINE_CACHE"] === "1";
  if (!asked) return config;
  const own = new Set(result.layers.map(layer => layer.diffId));
  const records = [...session.used].filter(([, { layer }]) => layer === undefined || own.has(layer.diffId));
  const inline: Record<string, unknown> = { [inlineKey]: JSON.parse(encodeRecords(new Map(records)).toString()) };
  return { ...config, ...inline };
}
