import type { CallOptions } from "../../ports/content.ts";
import type { ImageParts } from "../image-parts.ts";

/** Bytes of unpacked layers and stored blobs, each counted once; `shared_bytes` are those of layers that several images stand on. */
export async function diskUsage(parts: ImageParts, options: CallOptions = {}) {
  const chains = new Map<string, { size_bytes: number; users: number }>();
  const ids = await parts.metadata.ids();
  for (const id of ids) {
    const record = await parts.metadata.record(id);
    if (record === undefined) continue;
    const diffIds = record.config.rootfs.diff_ids;
    for (const [index, size_bytes] of (await parts.layers.sizes(diffIds)).entries()) {
      const chain = diffIds.slice(0, index + 1).join(" ");
      const known = chains.get(chain);
      chains.set(chain, { size_bytes, users: (known?.users ?? 0) + 1 });
    }
  }
  let total_bytes = 0;
  let shared_bytes = 0;
  for (const { size_bytes, users } of chains.values()) {
    total_bytes += size_bytes;
    if (users > 1) shared_bytes += size_bytes;
  }
  for await (const { size } of parts.content.list(options)) total_bytes += size;
  return { images: ids.length, total_bytes, shared_bytes };
}
