import { createHash } from "node:crypto";
import { lutimesSync, renameSync } from "node:fs";
import { join } from "node:path";
import { compress } from "../../image/layer/compress.ts";
import type { Descriptor } from "../../model/image.ts";
import type { CommitOptions } from "../../ports/layers.ts";
import { type LayerIntake, watched } from "./layer-intake.ts";
import { layerTar } from "./layer-tar.ts";
import type { LayerUnpacker } from "./layer-unpacker.ts";
import { bytePath, LowerView } from "./lower-view.ts";
import type { Roots } from "./roots.ts";
import type { StoreLayout } from "./store-layout.ts";
import { timeOf, walkUpper } from "./upper-walk.ts";
import type { WorkArea } from "./work-area.ts";

interface CommitParts {
  layout: StoreLayout;
  roots: Roots;
  intake: LayerIntake;
  unpacker: LayerUnpacker;
  work: WorkArea;
}

interface NewLayer {
  blob: Descriptor;
  diffId: string;
}

/** Makes layers of what roots have changed. */
export class RootCommits {
  readonly #parts: CommitParts;

  constructor(parts: CommitParts) {
    this.#parts = parts;
  }

  async commit(id: string, options: CommitOptions): Promise<NewLayer> {
    const { roots, layout } = this.#parts;
    const below = new LowerView(roots.stack(id).map(record => layout.diff(record.chainId)));
    return options.consume ? await this.#consume(id, below, options) : await this.#copy(id, below, options);
  }

  /** The root goes on: the layer gets files of its own, from the very tar that becomes its blob, so that both agree whatever the container does meanwhile. */
  async #copy(id: string, below: LowerView, options: CommitOptions): Promise<NewLayer> {
    const { roots, intake, unpacker } = this.#parts;
    const { compression = "gzip", signal } = options;
    const tar = layerTar(roots.paths(id).upperPath, below, options);
    const { blob, prepared } = await intake.take(tar, { compression, signal });
    await unpacker.install(prepared, { blob, diffId: prepared.diffId }, roots.topChain(id));
    return { blob, diffId: prepared.diffId };
  }

  /** The root ends here: its upper directory is moved, not copied. */
  async #consume(id: string, below: LowerView, options: CommitOptions): Promise<NewLayer> {
    const { roots, intake, unpacker, work } = this.#parts;
    const { compression = "gzip", signal, sourceDateEpoch } = options;
    const parent = roots.topChain(id);
    const { upperPath } = roots.paths(id);
    roots.unmount(id);
    const hash = createHash("sha256");
    const tar = watched(layerTar(upperPath, below, options), chunk => hash.update(chunk));
    const blob = await intake.write(compress(tar, compression), compression, signal);
    const diffId = `sha256:${hash.digest("hex")}`;
    const size_bytes = settleUpper(upperPath, below, sourceDateEpoch);
    const directory = await work.makeDirectory("layer");
    renameSync(upperPath, join(directory, "diff"));
    const remarks = {
      directories: new Map(),
      implicit: new Set<string>(),
      whiteouts: new Set<string>(),
      opaque: new Set<string>(),
    };
    await unpacker.install({ directory, diffId, size_bytes, remarks }, { blob, diffId }, parent);
    roots.remove(id);
    return { blob, diffId };
  }
}

/** Gives the files the times that the tar has, so that the layer is the same here and where it is pulled. Returns the sizes of its files. */
function settleUpper(upper: string, below: LowerView, sourceDateEpoch: number | undefined): number {
  let size_bytes = 0;
  for (const { kind, path, stats } of walkUpper(upper, below)) {
    if (kind === "whiteout") continue;
    if (stats.isFile()) size_bytes += Number(stats.size);
    if (sourceDateEpoch === undefined || timeOf(stats).seconds <= sourceDateEpoch) continue;
    lutimesSync(bytePath(upper, path), sourceDateEpoch, sourceDateEpoch);
  }
  return size_bytes;
}
