import type { ImageConfig } from "../../model/image.ts";
import type { NewImage } from "../store/image-record.ts";

/** An image in an archive whose blobs are in the content store by now. */
export interface FoundImage extends NewImage {
  config: ImageConfig;
  /** Full names with tag. */
  names: string[];
}
