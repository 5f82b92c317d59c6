import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildInput, BuildResult } from "../../ports/build.ts";
import { exportCaches, withInlineCache } from "../cache/export.ts";
import { importCaches } from "../cache/import.ts";
import { hashOf } from "../cache/keys.ts";
import type { StepRecords } from "../cache/records.ts";
import { exportResult } from "../output/export.ts";
import { imageConfig } from "../output/image-config.ts";
import { FileDigests } from "../tree/file-digests.ts";
import { now } from "./cached-step.ts";
import type { BuilderParts, BuildSession } from "./parts.ts";
import { resolvePlan } from "./resolve.ts";
import { Semaphore } from "./semaphore.ts";
import { startStage } from "./stage.ts";
import type { Workspace } from "./workspace.ts";

/** One build from its input to its outputs. Whatever fails first stops the rest; nothing is left behind but finished steps. */
export async function runBuild(
  parts: BuilderParts,
  records: StepRecords,
  input: BuildInput,
  space: Workspace,
): Promise<BuildResult> {
  const stop = new AbortController();
  const signal = input.signal ? AbortSignal.any([input.signal, stop.signal]) : stop.signal;
  signal.throwIfAborted();
  const resolved = await resolvePlan(parts, input, space, signal);
  const digests = openDigests(parts, input);
  let count = 0;
  const session: BuildSession = {
    ...resolved,
    ...{ parts, input, records, digests, signal },
    imported: await importCaches(parts, input, resolved.progress, signal),
    slots: new Semaphore(Math.max(1, input.parallelism ?? parts.cpus)),
    tempPath: space.tempPath,
    id: space.id,
    stages: new Map(),
    running: new Map(),
    used: new Map(),
    next: () => count++,
  };
  try {
    const result = await buildTarget(session, stop);
    const target = session.plan.stages.find(stage => stage.index === session.plan.target)!;
    const config = imageConfig(target, result, {
      records,
      now: now(session),
      epoch: session.plan.sourceDateEpoch,
      fresh: input.noCache ?? false,
    });
    const exported = await exportResult(session, result, withInlineCache(session, result, config));
    await exportCaches(session);
    const { steps, cachedSteps, warnings } = session.progress;
    return { ...exported, steps, cachedSteps, warnings };
  } finally {
    saveDigests(parts, input, digests);
  }
}

/** Waits for all stages even when one fails, so that nothing is still at work when the build is over. */
async function buildTarget(session: BuildSession, stop: AbortController) {
  const target = startStage(session, session.plan.target);
  const failed: unknown[] = [];
  await Promise.all(
    Array.from(session.stages.values(), stage =>
      stage.catch(thrown => {
        failed.push(thrown);
        stop.abort(thrown);
      }),
    ),
  );
  session.input.signal?.throwIfAborted();
  if (failed.length > 0) throw failed[0];
  return target;
}

function digestsPath(parts: BuilderParts, input: BuildInput): string | undefined {
  if (input.context.kind !== "directory") return undefined;
  return join(parts.root, "files", `${hashOf("files", input.context.path).slice(0, 32)}.json`);
}

function openDigests(parts: BuilderParts, input: BuildInput): FileDigests {
  const path = digestsPath(parts, input);
  let stored: string | undefined;
  try {
    stored = path === undefined ? undefined : readFileSync(path, "utf8");
  } catch {
    // The first build of this context: everything is hashed once.
  }
  return new FileDigests(() => parts.clock.now_ms(), stored);
}

function saveDigests(parts: BuilderParts, input: BuildInput, digests: FileDigests): void {
  const path = digestsPath(parts, input);
  const text = path === undefined ? undefined : digests.toStore();
  if (path === undefined || text === undefined) return;
  mkdirSync(join(parts.root, "files"), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}
