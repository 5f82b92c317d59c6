import type { BuildSession, StageResult } from "../execute/parts.ts";
import type { Exported } from "../output/export.ts";

export async function exportCaches(_session: BuildSession, _result: StageResult, _exported: Exported): Promise<void> {}
