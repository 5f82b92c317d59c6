import { BerthError } from "../../base/errors.ts";
import { type ByteString, toText } from "./tar-entry.ts";

/** Longest path that the kernel takes (PATH_MAX), and longest name. */
const pathLimit = 4096;
const nameLimit = 255;

export interface LayerPath {
  /** Relative to the layer, with no "." and no slash at either end; "" is the layer's root. */
  path: ByteString;
  parent: ByteString;
  name: ByteString;
}

/**
 * A member's path as a place inside the layer. A leading slash means the layer's root, as every builder and Docker have it. Throws `invalid` for "..", however it
 * is wrapped, and for what no file system can hold.
 */
export function layerPath(raw: ByteString): LayerPath {
  const refuse = (why: string) =>
    new BerthError("invalid", `read a layer: the member ${JSON.stringify(toText(raw.slice(0, 300)))} ${why}`, {
      hint: "the layer is damaged or made to do harm; do not use its image",
    });
  if (raw.length > pathLimit) throw refuse(`has a path of ${raw.length} bytes, more than ${pathLimit}`);
  if (raw.includes("\0")) throw refuse("has a zero byte in its path");
  const parts = raw.split("/").filter(part => part !== "" && part !== ".");
  for (const part of parts) {
    if (part === "..") throw refuse("leads out of the layer");
    if (part.length > nameLimit) throw refuse(`has a name longer than ${nameLimit} bytes`);
  }
  const name = parts.pop() ?? "";
  const parent = parts.join("/");
  return { path: parent === "" ? name : `${parent}/${name}`, parent, name };
}

/** OCI image-spec, layer.md, "Whiteouts". */
export type Marker =
  /** `.wh.NAME`: what lower layers have at this path is gone. */
  | { kind: "whiteout"; path: ByteString }
  /** `.wh..wh..opq`: nothing of this directory's lower content shows. */
  | { kind: "opaque"; path: ByteString }
  /** Other `.wh..wh.` names were AUFS's own bookkeeping: skipped. */
  | { kind: "ignored" };

export const whiteoutPrefix = ".wh.";
export const opaqueName = ".wh..wh..opq";

export function markerOf({ parent, name, path }: LayerPath): Marker | undefined {
  if (!name.startsWith(whiteoutPrefix)) return undefined;
  if (name === opaqueName) return { kind: "opaque", path: parent };
  if (name.startsWith(".wh..wh.")) return { kind: "ignored" };
  const hidden = name.slice(whiteoutPrefix.length);
  if (hidden === "" || hidden === "." || hidden === "..") {
    throw new BerthError("invalid", `read a layer: the whiteout ${JSON.stringify(toText(path))} names nothing`, {
      hint: "the layer is damaged or made to do harm; do not use its image",
    });
  }
  return { kind: "whiteout", path: parent === "" ? hidden : `${parent}/${hidden}` };
}
