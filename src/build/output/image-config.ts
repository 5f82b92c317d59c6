import type { HistoryEntry, ImageConfig } from "../../model/image.ts";
import { hashOf } from "../cache/keys.ts";
import type { StepRecords } from "../cache/records.ts";
import type { StageHistory, StageResult } from "../execute/parts.ts";
import type { StagePlan } from "../graph/steps.ts";

function historyEntry(entry: StageHistory, created: string): HistoryEntry {
  return {
    created: entry.createdAt ?? created,
    created_by: entry.createdBy,
    author: entry.author,
    comment: entry.comment,
    empty_layer: entry.hasLayer ? undefined : true,
  };
}

/**
 * The image's configuration (OCI image-spec, config.md). Its time is SOURCE_DATE_EPOCH, or when an image of this very content was first built here:
 * building again with nothing new gives the same image, not a new one every time.
 */
export function imageConfig(
  stage: StagePlan,
  result: StageResult,
  options: { records: StepRecords; now: string; epoch?: number; fresh: boolean },
): ImageConfig {
  const { architecture, os, variant } = stage.platform;
  const diffIds = result.layers.map(layer => layer.diffId);
  const key = hashOf(
    "image",
    stage.config,
    stage.author ?? "",
    [architecture, os, variant ?? ""],
    diffIds,
    result.history,
  );
  const isFixed = options.epoch !== undefined;
  const known = isFixed || options.fresh ? undefined : options.records.read(key);
  const created = isFixed ? new Date(options.epoch! * 1000).toISOString() : (known?.createdAt ?? options.now);
  if (!isFixed && !known) options.records.write(key, { createdAt: created, description: `image of ${stage.text}` });
  return {
    created,
    author: stage.author,
    architecture,
    os,
    variant,
    config: stage.config,
    rootfs: { type: "layers", diff_ids: diffIds },
    history: result.history.map(entry => historyEntry(entry, created)),
  };
}
