import { encodeEntry, tarEnd, tarPadding } from "../../image/layer/tar-encode.ts";

/** A file of a small root file system made in memory. */
export type RootEntry = { path: string; mode: number; uid?: number } & (
  | { type: "directory" }
  | { type: "file"; content: Buffer | string }
  | { type: "hardlink" | "symlink"; link: string }
);

/** All entries with one time, in the given order. */
export function rootTar(entries: RootEntry[], mtime_s: number): Buffer {
  const pieces: Buffer[] = [];
  for (const entry of entries) {
    const content = entry.type === "file" ? Buffer.from(entry.content) : Buffer.alloc(0);
    const owner = entry.uid ?? 0;
    const header = encodeEntry({
      type: entry.type,
      path: entry.path,
      link: "link" in entry ? entry.link : "",
      mode: entry.mode,
      uid: owner,
      gid: owner,
      size: content.length,
      mtime: { seconds: mtime_s, nanoseconds: 0 },
      major: 0,
      minor: 0,
      xattrs: new Map(),
    });
    pieces.push(header, content, tarPadding(content.length));
  }
  return Buffer.concat([...pieces, tarEnd]);
}
