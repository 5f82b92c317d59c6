import type { ContentStore } from "../ports/content.ts";
import type { Registry } from "./registry.ts";

/** Bytes of a push under way are not named by anything yet. */
const grace_ms = 60 * 60 * 1000;

/** Deletes blobs that no repository holds: for a registry with a content store of its own. Inside berthd the images' collection does it. */
export async function sweep(
  registry: Registry,
  content: ContentStore,
  now_ms: number,
): Promise<{ count: number; bytes: number }> {
  const { digests } = await registry.used();
  const freed = { count: 0, bytes: 0 };
  for await (const blob of content.list()) {
    if (digests.has(blob.digest) || now_ms - blob.modified_ms < grace_ms) continue;
    await content.delete(blob.digest);
    freed.count++;
    freed.bytes += blob.size;
  }
  await content.collectIngests(24 * 60 * 60 * 1000);
  return freed;
}
