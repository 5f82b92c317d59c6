import type { Descriptor, ImageManifest } from "../../model/image.ts";
import type { CallOptions } from "../../ports/content.ts";

/** Where the signatures of a repository lie. */
export interface SignatureSource {
  /** Undefined where there is none under that tag. */
  manifest(tag: string, options: CallOptions): Promise<ImageManifest | undefined>;
  /** A small blob, its digest verified. */
  blob(descriptor: Descriptor, options: CallOptions): Promise<Buffer>;
}
