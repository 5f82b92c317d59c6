import { LocalImageService, type LocalImageServiceOptions } from "../../image/image-service.ts";
import type { Image } from "../../model/image.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { ImageService } from "../../ports/images.ts";

/** Makes the unpacked layers of a chain of the host's store usable here, without copying them. */
export type BorrowLayers = (diffIds: string[]) => Promise<void>;

/** Images of an isolated root: its own, and those of the host to stand on. Nothing done here changes the host's. */
export class BorrowingImages extends LocalImageService {
  readonly #base: ImageService;
  readonly #borrow: BorrowLayers;

  constructor(options: LocalImageServiceOptions, base: ImageService, borrow: BorrowLayers) {
    super(options);
    this.#base = base;
    this.#borrow = borrow;
  }

  override async find(reference: string, options?: CallOptions): Promise<Image | undefined> {
    const own = await super.find(reference, options);
    if (own) return own;
    const image = await this.#base.find(reference, options);
    if (image) await this.#borrow(image.config.rootfs.diff_ids);
    return image;
  }
}
