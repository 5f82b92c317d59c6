import { BerthError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { formatPlatform } from "../image/platform.ts";
import type { Builder, BuildInput, BuildResult, CacheRecordInfo, PrintedGraph } from "../ports/build.ts";
import type { CallOptions, ContentRoots } from "../ports/content.ts";
import { StepRecords } from "./cache/records.ts";
import { CacheStore } from "./cache/store.ts";
import { runBuild } from "./execute/build.ts";
import type { BuilderParts } from "./execute/parts.ts";
import { resolvePlan } from "./execute/resolve.ts";
import { sweepLeftovers, workspace } from "./execute/workspace.ts";
import { printedGraph } from "./graph/print.ts";
import { isolatedBuild, sweepIsolated } from "./isolated/isolated-build.ts";

/** Builds on this host, in this process. Any number of processes may build with one root at once. */
export class LocalBuilder implements Builder {
  readonly #parts: BuilderParts;
  readonly #records: StepRecords;
  readonly #cache: CacheStore;
  #swept: Promise<void> | undefined;
  #running = 0;

  constructor(parts: BuilderParts) {
    this.#parts = parts;
    this.#records = new StepRecords(`${parts.root}/steps`, () => parts.clock.now_ms());
    this.#cache = new CacheStore(parts, this.#records);
  }

  get roots(): ContentRoots {
    return this.#cache;
  }

  async build(input: BuildInput): Promise<BuildResult> {
    this.#checkPlatform(input);
    this.#swept ??= this.#sweep();
    await this.#swept;
    if (input.isolated) return this.#isolated(input);
    this.#running++;
    try {
      await using space = await workspace(this.#parts, newId().slice(0, 12));
      return await runBuild(this.#parts, this.#records, input, space);
    } finally {
      this.#running--;
      if (this.#running === 0) await this.#parts.runner.releaseIdle();
    }
  }

  async #sweep(): Promise<void> {
    await sweepLeftovers(this.#parts);
    const { isolatedRoots, locks, layers } = this.#parts;
    if (isolatedRoots) await sweepIsolated(isolatedRoots, locks, layers);
  }

  #isolated(input: BuildInput): Promise<BuildResult> {
    const { isolatedRoots: roots, images: host, locks } = this.#parts;
    if (roots) return isolatedBuild(input, newId().slice(0, 12), { roots, host, locks });
    throw new BerthError("unsupported", "an isolated build: this builder has no roots of their own to offer");
  }

  async print(input: BuildInput): Promise<PrintedGraph> {
    this.#checkPlatform(input);
    await using space = await workspace(this.#parts, newId().slice(0, 12));
    const { plan } = await resolvePlan(this.#parts, input, space);
    return printedGraph(plan);
  }

  cacheUsage(options?: CallOptions): Promise<CacheRecordInfo[]> {
    return this.#cache.usage(options);
  }

  pruneCache(options: CallOptions & { unusedSince_ms?: number; keep_bytes?: number } = {}) {
    return this.#cache.prune(options);
  }

  #checkPlatform({ platform }: BuildInput) {
    const host = this.#parts.platform;
    if (!platform || (platform.os === host.os && platform.architecture === host.architecture)) return;
    throw new BerthError(
      "unsupported",
      `building for ${formatPlatform(platform)}: this host is ${formatPlatform(host)}`,
      {
        hint: "Berth builds for the host's own platform: build on a host of that kind",
      },
    );
  }
}
