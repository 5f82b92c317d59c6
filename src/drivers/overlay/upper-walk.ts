import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import type { ByteString, TarTime } from "../../image/layer/tar-entry.ts";
import { bytePath, isOpaque, type LowerView } from "./lower-view.ts";

/** Something found in an upper directory. */
export interface UpperMember {
  path: ByteString;
  stats: BigIntStats;
  /** Hides what is below. */
  kind: "whiteout" | "entry";
  /** A directory that hides the content of the one below; never set where there is nothing to hide, which overlayfs also marks. */
  isOpaque: boolean;
}

/** Everything in an upper directory, a directory before its content, names in byte order. The directory itself is not among it. */
export function* walkUpper(upper: string, below: LowerView, directory: ByteString = ""): Generator<UpperMember> {
  for (const name of readdirSync(bytePath(upper, directory), "latin1").sort()) {
    const path = directory === "" ? name : `${directory}/${name}`;
    const at = bytePath(upper, path);
    const stats = lstatSync(at, { bigint: true, throwIfNoEntry: false });
    // A container that still runs may have removed it meanwhile.
    if (stats === undefined) continue;
    if (stats.isCharacterDevice() && stats.rdev === 0n) yield { path, stats, kind: "whiteout", isOpaque: false };
    else if (!stats.isDirectory()) yield { path, stats, kind: "entry", isOpaque: false };
    else {
      yield { path, stats, kind: "entry", isOpaque: isOpaque(at) && below.directoriesAt(path).length > 0 };
      yield* walkUpper(upper, below, path);
    }
  }
}

export const timeOf = (stats: BigIntStats): TarTime => {
  const billion = 1_000_000_000n;
  const nanoseconds = ((stats.mtimeNs % billion) + billion) % billion;
  return { seconds: Number((stats.mtimeNs - nanoseconds) / billion), nanoseconds: Number(nanoseconds) };
};
