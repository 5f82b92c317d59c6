import type { Clock } from "../base/clock.ts";
import type { ContentRoots, ContentStore } from "../ports/content.ts";
import type { LayerStore } from "../ports/layers.ts";
import type { StoreKey } from "./content/store-key.ts";
import type { ImageMetadata } from "./store/metadata.ts";

/** What every operation on images works with. */
export interface ImageParts {
  content: ContentStore;
  layers: LayerStore;
  metadata: ImageMetadata;
  clock: Clock;
  /** Who else needs content. */
  roots: ContentRoots[];
  /** Shared with a registry over the same store. */
  storeKey?: StoreKey;
}
