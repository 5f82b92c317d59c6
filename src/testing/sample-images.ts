import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { tarEnd, tarFileHeader, tarPadding } from "../image/archive/tar-file.ts";
import { type Descriptor, type ImageConfig, type ImageManifest, mediaTypes } from "../model/image.ts";

export interface SampleImage {
  manifest: Descriptor;
  config: ImageConfig;
  /** Digest of the configuration. */
  id: string;
  layers: Descriptor[];
  /** Every blob, the manifest's and the configuration's included, by digest. */
  blobs: Map<string, Buffer>;
}

export const sha256 = (data: Buffer | string) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

/** A tar of plain files. */
export function tarOf(files: Record<string, string | Buffer>): Buffer {
  const parts = Object.entries(files).flatMap(([name, content]) => {
    const data = Buffer.from(content);
    return [tarFileHeader(name, data.length), data, tarPadding(data.length)];
  });
  return Buffer.concat([...parts, tarEnd]);
}

/** An image made in memory: one layer for each set of files. */
export function sampleImage(
  options: {
    layers?: Record<string, string | Buffer>[];
    config?: Partial<ImageConfig>;
    compression?: "gzip" | "zstd" | "none";
    docker?: boolean;
  } = {},
): SampleImage {
  const blobs = new Map<string, Buffer>();
  const add = (mediaType: string, data: Buffer): Descriptor => {
    blobs.set(sha256(data), data);
    return { mediaType, digest: sha256(data), size: data.length };
  };
  const tars = (options.layers ?? [{ "etc/hello": "hello\n" }, { "etc/world": "world\n" }]).map(tarOf);
  const pack = { gzip: gzipSync, zstd: zstdCompressSync, none: (data: Buffer) => data }[options.compression ?? "gzip"];
  const type = { gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd, none: mediaTypes.ociLayer };
  const layerType = options.docker ? mediaTypes.dockerLayer : type[options.compression ?? "gzip"];
  const layers = tars.map(tar => add(layerType, pack(tar)));
  const config: ImageConfig = {
    created: "2026-01-02T03:04:05Z",
    os: "linux",
    architecture: "amd64",
    config: { Cmd: ["/bin/true"], Labels: { sample: "yes" } },
    rootfs: { type: "layers", diff_ids: tars.map(sha256) },
    history: tars.map((_, index) => ({ created: "2026-01-02T03:04:05Z", created_by: `step ${index}` })),
    ...options.config,
  };
  const configType = options.docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig;
  const configBlob = add(configType, Buffer.from(JSON.stringify(config)));
  const mediaType = options.docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest;
  const body: ImageManifest = { schemaVersion: 2, mediaType, config: configBlob, layers };
  const manifest = add(mediaType, Buffer.from(JSON.stringify(body)));
  return { manifest, config, id: configBlob.digest, layers, blobs };
}

/** What `docker save` wrote before version 25: plain layers, and manifest.json. */
export function dockerArchiveOf(image: SampleImage, tars: Buffer[], repoTags: string[]): Buffer {
  const files: Record<string, string | Buffer> = {};
  const names = tars.map((tar, index) => {
    const name = `${index}${"0".repeat(63)}/layer.tar`;
    files[name] = tar;
    return name;
  });
  const config = `${image.id.slice(7)}.json`;
  files[config] = image.blobs.get(image.id)!;
  files["manifest.json"] = JSON.stringify([{ Config: config, RepoTags: repoTags, Layers: names }]);
  return tarOf(files);
}

export const streamOf = (data: Buffer) => Readable.from([data], { objectMode: false });

export async function bytesOf(source: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
