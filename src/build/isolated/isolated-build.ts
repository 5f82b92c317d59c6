import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Descriptor, Image } from "../../model/image.ts";
import type { Builder, BuildInput, BuildOutput, BuildResult } from "../../ports/build.ts";
import type { ContentStore } from "../../ports/content.ts";
import type { ImageService } from "../../ports/images.ts";
import type { LayerStore } from "../../ports/layers.ts";
import type { Locks } from "../../ports/locks.ts";

/** An engine root for one build: store, cache and networks of its own. Disposing it takes down everything, its directory included. */
export interface IsolatedRoot extends AsyncDisposable {
  builder: Builder;
  images: ImageService;
}

export interface IsolatedRoots {
  /** Directory below which each has its own. */
  directory: string;
  /** Opens a new one, or one that a killed process left, to dispose it. */
  open(id: string): Promise<IsolatedRoot>;
}

const imageOutput: BuildOutput = { type: "image" };

/**
 * Builds in a root that nobody else sees and that is gone afterwards; only what the outputs name comes out. An `image` output is taken over into the
 * host's images at the end.
 */
export async function isolatedBuild(
  input: BuildInput,
  id: string,
  parts: { roots: IsolatedRoots; host: ImageService; locks: Locks },
): Promise<BuildResult> {
  mkdirSync(parts.roots.directory, { recursive: true, mode: 0o700 });
  await using _lock = await parts.locks.acquire(join(parts.roots.directory, `${id}.lock`), { signal: input.signal });
  try {
    await using root = await parts.roots.open(id);
    const outputs = input.outputs ?? [imageOutput];
    const result = await root.builder.build({ ...input, isolated: false, outputs });
    if (!result.image) return result;
    return { ...result, image: await takeOver(result.image, root.images, parts.host, input) };
  } finally {
    rmSync(join(parts.roots.directory, `${id}.lock`), { force: true });
  }
}

/** Blobs first, then the very same configuration: the image keeps its id. */
async function takeOver(image: Image, from: ImageService, host: ImageService, input: BuildInput): Promise<Image> {
  for (const layer of image.layers) await copyBlob(from.content, host.content, layer, input.signal);
  const { config, layers } = image;
  return host.create({ config, layers, tags: input.tags, annotations: input.annotations }, { signal: input.signal });
}

async function copyBlob(from: ContentStore, to: ContentStore, { digest, size }: Descriptor, signal?: AbortSignal) {
  if (await to.touch(digest, { signal })) return;
  await using ingest = await to.ingest(`blob ${digest}`, { signal });
  await ingest.append(await from.open(digest, { signal, range: { start: ingest.offset } }), { signal });
  await ingest.commit({ digest, size, deferSync: true }, { signal });
}

/** Name of a root that keeps borrowed layers of the host from being collected while an isolated build stands on them. */
export function pinName(id: string, count: number): string {
  return `isolated-${id}-${count}`;
}

/** Takes down what killed builds left. */
export async function sweepIsolated(roots: IsolatedRoots, locks: Locks, layers: LayerStore): Promise<void> {
  mkdirSync(roots.directory, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(roots.directory)) {
    const id = name.replace(/\.lock$/, "");
    const lockPath = join(roots.directory, `${id}.lock`);
    if (!/^[0-9a-f]{12}$/.test(id) || locks.isHeld(lockPath)) continue;
    if (name === id) await (await roots.open(id))[Symbol.asyncDispose]();
    rmSync(lockPath, { force: true });
  }
  for (const name of await layers.roots()) {
    const id = /^isolated-([0-9a-f]{12})-\d+$/.exec(name)?.[1];
    if (id !== undefined && !locks.isHeld(join(roots.directory, `${id}.lock`))) await layers.removeRoot(name);
  }
}
