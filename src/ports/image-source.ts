import type { Readable } from "node:stream";
import type { ImageRunConfig, Platform } from "../model/image.ts";
import type { CallOptions } from "./content.ts";
import type { ProgressSink } from "./images.ts";

/** What a source hands over: a root file system, and how to run it. */
export interface ProducedImage extends AsyncDisposable {
  /** Uncompressed tar of the root file system, with numeric owners. The same input on the same day gives the same bytes. */
  tar: Readable;
  config: ImageRunConfig;
  platform: Platform;
  /** RFC 3339; part of the image's configuration, so it must be as reproducible as the tar. */
  created: string;
  /** One line for the image's history, e.g. "berth bootstrap debian:bookworm from http://…". */
  createdBy: string;
}

/** Makes base images from the host's own packages, for sites where no registry answers. Disposing what `produce` gave removes its temporary files. */
export interface ImageSource {
  /** Named in progress and errors, e.g. "debian". */
  readonly name: string;
  /** What it can make, for hints: "debian:<suite>[-slim]". */
  readonly offers: string;
  /** `reference` is a full name with tag: docker.io/library/debian:bookworm. */
  matches(reference: string): boolean;
  produce(reference: string, options?: CallOptions & { onProgress?: ProgressSink }): Promise<ProducedImage>;
}
