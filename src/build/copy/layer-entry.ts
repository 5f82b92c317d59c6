import type { TarEntryType } from "../../image/layer/tar-entry.ts";

/** Bytes of a file in a layer, wherever they lie now. */
export type Content = { data: Buffer } | { hostPath: string; start?: number; size: number };

/** A member of a layer before it is written; names are text here. */
export interface LayerEntry {
  /** Without a leading slash. */
  path: string;
  type: TarEntryType;
  /** Permission and special bits only. */
  mode: number;
  uid: number;
  gid: number;
  /** Whole seconds: more does not fit into every tar. */
  mtime_s: number;
  content?: Content;
  linkName?: string;
  device?: { major: number; minor: number };
  xattrs?: Map<string, Buffer>;
  /** Files with one identity are hard links of each other. */
  identity?: string;
}

export function contentSize(content: Content | undefined): number {
  if (!content) return 0;
  return "data" in content ? content.data.length : content.size;
}
