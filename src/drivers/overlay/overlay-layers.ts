import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import type { Clock } from "../../base/clock.ts";
import { asBerthError, BerthError } from "../../base/errors.ts";
import { chainIds } from "../../image/layer/chain-id.ts";
import type { Compression } from "../../image/layer/decompress.ts";
import { defaultLayerLimits, type LayerLimits } from "../../image/layer/layer-limits.ts";
import type { Descriptor } from "../../model/image.ts";
import type { CallOptions, ContentStore } from "../../ports/content.ts";
import type { ProgressSink } from "../../ports/images.ts";
import type { Change, CommitOptions, LayerStore, WritableRoot } from "../../ports/layers.ts";
import type { Lock, Locks } from "../../ports/locks.ts";
import { changesOf, changesSizeOf } from "./changes.ts";
import { unneededLayers } from "./layer-collector.ts";
import { LayerIntake } from "./layer-intake.ts";
import { type LayerRecord, LayerRecords } from "./layer-records.ts";
import { layerTar } from "./layer-tar.ts";
import { LayerUnpacker } from "./layer-unpacker.ts";
import { LowerView } from "./lower-view.ts";
import { isMounted } from "./overlay-mount.ts";
import { RootCommits } from "./root-commits.ts";
import { Roots } from "./roots.ts";
import { StoreLayout } from "./store-layout.ts";
import { Views } from "./views.ts";
import { WorkArea } from "./work-area.ts";

export interface OverlayLayersOptions {
  /** The engine's data directory; layers are kept in its `overlay`. */
  root: string;
  content: Pick<ContentStore, "open" | "ingest">;
  locks: Locks;
  clock: Clock;
  limits?: Partial<LayerLimits>;
}

/** Layers and roots on overlayfs. See docs/design/layers.md. */
export class OverlayLayers implements LayerStore, AsyncDisposable {
  readonly #layout: StoreLayout;
  readonly #locks: Locks;
  readonly #clock: Clock;
  readonly #work: WorkArea;
  readonly #records: LayerRecords;
  readonly #unpacker: LayerUnpacker;
  readonly #intake: LayerIntake;
  readonly #roots: Roots;
  readonly #commits: RootCommits;
  readonly #views: Views;

  constructor({ root, content, locks, clock, limits: some }: OverlayLayersOptions) {
    const limits = { ...defaultLayerLimits, ...some };
    const layout = new StoreLayout(root);
    layout.make();
    this.#layout = layout;
    this.#locks = locks;
    this.#clock = clock;
    this.#work = new WorkArea(layout, locks);
    this.#records = new LayerRecords(layout, readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
    this.#unpacker = new LayerUnpacker({ layout, records: this.#records, work: this.#work, content, locks, limits });
    this.#intake = new LayerIntake(content, this.#unpacker, limits);
    this.#roots = new Roots(layout, this.#records, this.#work);
    this.#commits = new RootCommits({
      layout,
      roots: this.#roots,
      intake: this.#intake,
      unpacker: this.#unpacker,
      work: this.#work,
    });
    this.#views = new Views(layout, this.#work);
  }

  async unpack(
    layers: { blob: Descriptor; diffId: string }[],
    options: CallOptions & { onProgress?: ProgressSink } = {},
  ): Promise<void> {
    for (const chainId of chainIds(layers.map(layer => layer.diffId))) {
      this.#records.touch(chainId, this.#clock.now_ms());
    }
    await this.#unpacker.unpack(layers, options);
  }

  async sizes(diffIds: string[]): Promise<number[]> {
    return this.#records.stack(diffIds).map(record => record.size_bytes);
  }

  async createRoot(
    id: string,
    diffIds: string[],
    { signal, storageOptions = {} }: CallOptions & { storageOptions?: Record<string, string> } = {},
  ): Promise<WritableRoot> {
    const [option] = Object.keys(storageOptions);
    if (option !== undefined) {
      throw new BerthError(
        "unsupported",
        `make root ${id} with the storage option ${option}: overlay roots have none`,
        {
          hint: option === "size" ? "give the data a volume on a file system of that size" : "leave the option out",
        },
      );
    }
    await using _ = await this.#share(signal);
    await this.#repair(chainIds(diffIds).at(-1), signal);
    return await this.#roots.create(id, this.#records.stack(diffIds));
  }

  async mount(id: string, { signal }: CallOptions = {}): Promise<WritableRoot> {
    const root = this.#roots.paths(id);
    if (isMounted(root.mergedPath)) return root;
    await using _ = await this.#share(signal);
    await this.#repair(this.#roots.topChain(id), signal);
    return this.#roots.mount(id);
  }

  async unmount(id: string): Promise<void> {
    this.#roots.unmount(id);
  }

  async removeRoot(id: string): Promise<void> {
    this.#roots.remove(id);
  }

  async roots(): Promise<string[]> {
    return this.#roots.list();
  }

  async view(id: string, diffIds: string[], { signal }: CallOptions = {}): Promise<{ path: string } & AsyncDisposable> {
    await using _ = await this.#share(signal);
    await this.#repair(chainIds(diffIds).at(-1), signal);
    return await this.#views.open(id, this.#records.stack(diffIds));
  }

  async changes(id: string): Promise<Change[]> {
    return changesOf(this.#roots.paths(id).upperPath, this.#below(id));
  }

  async changesSize(id: string): Promise<number> {
    return changesSizeOf(this.#roots.paths(id).upperPath, this.#below(id));
  }

  async diff(id: string, options: CallOptions & { sourceDateEpoch?: number } = {}): Promise<Readable> {
    const { upperPath } = this.#roots.paths(id);
    return Readable.from(layerTar(upperPath, this.#below(id), options), { objectMode: false });
  }

  async commit(id: string, options: CommitOptions = {}): Promise<{ blob: Descriptor; diffId: string }> {
    try {
      return await this.#commits.commit(id, options);
    } catch (thrown) {
      throw asBerthError(thrown);
    }
  }

  async ingest(
    tar: Readable,
    options: CallOptions & { parent?: string[]; compression?: Compression } = {},
  ): Promise<{ blob: Descriptor; diffId: string }> {
    try {
      const { blob, prepared } = await this.#intake.take(tar, options);
      await this.#unpacker.install(prepared, { blob, diffId: prepared.diffId }, chainIds(options.parent ?? []).at(-1));
      return { blob, diffId: prepared.diffId };
    } catch (thrown) {
      throw asBerthError(thrown);
    } finally {
      tar.destroy();
    }
  }

  async collect(
    used: string[][],
    options: { only?: string[][]; grace_ms?: number } & CallOptions = {},
  ): Promise<number> {
    await using _ = await this.#locks.acquire(this.#layout.storeLock, { signal: options.signal });
    const parts = { layout: this.#layout, records: this.#records, roots: this.#roots, clock: this.#clock };
    let freed_bytes = 0;
    for (const chainId of unneededLayers(parts, { used, ...options })) {
      freed_bytes += this.#records.read(chainId)?.size_bytes ?? 0;
      this.#records.remove(chainId);
    }
    this.#records.removeDanglingLinks();
    this.#work.sweep();
    return freed_bytes;
  }

  /** Resolves when what was removed is deleted, and what was unpacked is on disk. */
  async settle(): Promise<void> {
    await this.#unpacker.settle();
    await this.#work.settle();
  }

  /** Unmounts this process's views and removes its temporary files; roots and layers stay. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#unpacker.settle();
    await this.#views.closeAll();
    await this.#work[Symbol.asyncDispose]();
  }

  #below(id: string): LowerView {
    return new LowerView(this.#roots.stack(id).map(record => this.#layout.diff(record.chainId)));
  }

  /** Keeps collection off while a root or view is being set on its layers. */
  async #share(signal: AbortSignal | undefined): Promise<Lock> {
    return await this.#locks.acquire(this.#layout.storeLock, { shared: true, signal });
  }

  /** Unpacks again what a power failure may have damaged, from its blobs. */
  async #repair(top: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const stack: LayerRecord[] = [];
    for (let at = top; at !== undefined; at = stack.at(-1)?.parent) {
      const record = this.#records.read(at);
      if (record === undefined) return;
      stack.push(record);
    }
    if (stack.every(record => this.#records.isSound(record))) return;
    const layers = stack.reverse().flatMap(({ blob, diffId }) => (blob === undefined ? [] : [{ blob, diffId }]));
    if (layers.length === stack.length) await this.#unpacker.unpack(layers, { signal });
  }
}
