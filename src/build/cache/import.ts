import type { BuildInput } from "../../ports/build.ts";
import type { BuilderParts, ImportedCache } from "../execute/parts.ts";
import type { BuildProgress } from "../execute/progress.ts";

export async function importCaches(
  _parts: BuilderParts,
  _input: BuildInput,
  _progress: BuildProgress,
  _signal: AbortSignal,
): Promise<ImportedCache[]> {
  return [];
}
