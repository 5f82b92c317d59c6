import { Readable } from "node:stream";
import { BerthError } from "../../base/errors.ts";
import { storeManifest } from "../../image/archive/read-docker-archive.ts";
import { archiveParts } from "../../image/archive/save-images.ts";
import { formatReference, parseReference, withDefaultTag } from "../../image/reference.ts";
import { type Descriptor, type Image, type ImageConfig, mediaTypes } from "../../model/image.ts";
import type { BuildOutput, BuildVertex } from "../../ports/build.ts";
import type { BuildSession, StageResult } from "../execute/parts.ts";
import { openRoot } from "../execute/views.ts";
import { copyRoot, rootTar } from "./rootfs.ts";
import { writeTarget } from "./write-target.ts";

export interface Exported {
  image?: Image;
  imageId: string;
  digest: string;
}

/** Config and manifest in the content store, seen as an image by nobody yet. */
async function storeUnnamed(
  session: BuildSession,
  config: ImageConfig,
  layers: Descriptor[],
  annotations?: Record<string, string>,
) {
  const { content } = session.parts.images;
  const { signal } = session;
  const { digest, size } = await content.put(Buffer.from(JSON.stringify(config)), { signal });
  const descriptor = { mediaType: mediaTypes.ociConfig, digest, size };
  return { imageId: digest, ...(await storeManifest(content, descriptor, layers, { signal, annotations })) };
}

async function toArchive(
  session: BuildSession,
  output: Extract<BuildOutput, { type: "docker" | "oci" }>,
  config: ImageConfig,
  layers: Descriptor[],
) {
  const { manifest, parsed } = await storeUnnamed(session, config, layers, session.input.annotations);
  const names = (session.input.tags ?? []).map(tag => formatReference(withDefaultTag(parseReference(tag))));
  const format = output.type === "docker" ? "docker-archive" : "oci-archive";
  const saved = { manifest, parsed, names };
  const { content } = session.parts.images;
  const parts = archiveParts(content, [saved], format, { signal: session.signal });
  await writeTarget(Readable.from(parts, { objectMode: false }), output.target, session.signal);
}

async function toImage(
  session: BuildSession,
  output: Extract<BuildOutput, { type: "image" }>,
  config: ImageConfig,
  layers: Descriptor[],
): Promise<Image> {
  const { images } = session.parts;
  const { tags = [], annotations, auth } = session.input;
  const { signal } = session;
  if (output.push && tags.length === 0)
    throw new BerthError("invalid", "nothing to push: the build has no tag", { hint: "give one with --tag" });
  const image = await images.create({ config, layers, tags, annotations }, { signal });
  if (!output.push) return image;
  for (const tag of tags) {
    const vertex: BuildVertex = { id: `push ${tag}`, name: `push ${tag}`, stage: "" };
    await session.progress.vertex(vertex, async () => {
      const onProgress = session.progress.transfer(vertex);
      const registry = formatReference(parseReference(tag)).split("/", 1)[0]!;
      return { value: await images.push(tag, { signal, onProgress, auth: auth?.(registry) }) };
    });
  }
  return image;
}

/** Writes the finished target to every output asked for. */
export async function exportResult(session: BuildSession, result: StageResult, config: ImageConfig): Promise<Exported> {
  const outputs: BuildOutput[] = session.input.outputs ?? [{ type: "image" }];
  const layers = result.layers.map(layer => layer.blob);
  const unnamed = await storeUnnamed(session, config, layers, session.input.annotations);
  let image: Image | undefined;
  for (const output of outputs) {
    const vertex: BuildVertex = { id: `export ${output.type}`, name: `export ${output.type}`, stage: "" };
    await session.progress.vertex(vertex, async () => {
      if (output.type === "image") image = await toImage(session, output, config, layers);
      else if (output.type === "docker" || output.type === "oci") await toArchive(session, output, config, layers);
      else await toFiles(session, output, result);
      return { value: undefined };
    });
  }
  return { image, imageId: image?.id ?? unnamed.imageId, digest: image?.manifest.digest ?? unnamed.manifest.digest };
}

async function toFiles(
  session: BuildSession,
  output: Extract<BuildOutput, { type: "tar" | "local" }>,
  result: StageResult,
) {
  await using root = await openRoot(session, result.layers);
  if (root.path === undefined) throw new BerthError("invalid", "the target has no files to write out");
  if (output.type === "local") copyRoot(root.path, output.path);
  else
    await writeTarget(
      rootTar(root.path, session.parts.xattrs, session.plan.sourceDateEpoch),
      output.target,
      session.signal,
    );
}
