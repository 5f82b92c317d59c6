import type { XattrReader } from "../../ports/build.ts";
import { xattrsOfPath } from "../linux/xattr-bytes.ts";
import { isLayerXattr } from "../overlay/layer-xattrs.ts";

/** Attributes of a file that layers carry. */
export const layerXattrs: XattrReader = path => {
  const found = xattrsOfPath(Buffer.from(path));
  for (const name of found.keys()) if (!isLayerXattr(name)) found.delete(name);
  return found.size > 0 ? found : undefined;
};
