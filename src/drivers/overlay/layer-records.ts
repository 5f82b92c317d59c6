import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import { shortId } from "../../base/ids.ts";
import { chainIds } from "../../image/layer/chain-id.ts";
import type { Descriptor } from "../../model/image.ts";
import { isSystem } from "./layer-writer.ts";
import { hexOf, type StoreLayout } from "./store-layout.ts";

/** What is known of an unpacked layer; layer.json beside its directory. */
export interface LayerRecord {
  chainId: string;
  diffId: string;
  /** Chain id of the layer below. */
  parent?: string;
  /** Name in l/. */
  link: string;
  /** Sizes of its files. */
  size_bytes: number;
  /** From which it can be unpacked again. */
  blob?: Pick<Descriptor, "mediaType" | "digest" | "size">;
  /** The boot in which it was unpacked, as long as it is not known to be on disk: after a power failure it must be unpacked again. */
  boot?: string;
}

/** The unpacked layers of a store. A layer is there when its directory is: it is prepared elsewhere and renamed in. */
export class LayerRecords {
  readonly #layout: StoreLayout;
  readonly #boot: string;
  readonly #known = new Map<string, LayerRecord>();

  /** `boot` identifies the running kernel's boot. */
  constructor(layout: StoreLayout, boot: string) {
    this.#layout = layout;
    this.#boot = boot;
  }

  /** Undefined when the layer is missing, or may be damaged since the machine went down before it was on disk. */
  find(chainId: string): LayerRecord | undefined {
    const record = this.read(chainId);
    return record === undefined || !this.isSound(record) ? undefined : record;
  }

  isSound(record: LayerRecord): boolean {
    return record.boot === undefined || record.boot === this.#boot;
  }

  /** Sound or not. */
  read(chainId: string): LayerRecord | undefined {
    const directory = this.#layout.layer(chainId);
    const known = this.#known.get(chainId);
    if (known !== undefined && existsSync(directory)) return known;
    this.#known.delete(chainId);
    try {
      const record = JSON.parse(readFileSync(join(directory, "layer.json"), "utf8")) as LayerRecord;
      if (this.isSound(record)) this.#known.set(chainId, record);
      return record;
    } catch (thrown) {
      if (isSystem(thrown, "ENOENT")) return undefined;
      // Only a power failure leaves half a record: the layer counts as missing and is unpacked again.
      if (thrown instanceof SyntaxError) return undefined;
      throw thrown;
    }
  }

  /** Records of a stack, lowest first; throws `not_found` naming the first that is missing. */
  stack(diffIds: readonly string[]): LayerRecord[] {
    return chainIds(diffIds).map(chainId => this.#need(chainId));
  }

  /** The same, from the topmost layer down its parents. */
  stackOf(chainId: string): LayerRecord[] {
    const stack: LayerRecord[] = [];
    for (let at: string | undefined = chainId; at !== undefined; at = stack.at(-1)?.parent) stack.push(this.#need(at));
    return stack.reverse();
  }

  #need(chainId: string): LayerRecord {
    const record = this.find(chainId);
    if (record !== undefined) return record;
    throw new BerthError("not_found", `use layer ${shortId(chainId)}: it is not unpacked here`, {
      hint: "pull or load the image again",
      details: { chainId },
    });
  }

  /** Makes `directory` (with its `diff`) a layer of the store, by renaming it. The caller holds the layer's lock. */
  install(directory: string, facts: Omit<LayerRecord, "link" | "boot">): LayerRecord {
    const target = this.#layout.layer(facts.chainId);
    const record: LayerRecord = {
      ...facts,
      link: this.read(facts.chainId)?.link ?? this.#takeLink(hexOf(facts.chainId)),
      boot: this.#boot,
    };
    writeFileSync(join(directory, "layer.json"), JSON.stringify(record));
    // What is there was unpacked before a power failure. Roots may stand on it, so it goes only now that its replacement is ready.
    if (existsSync(target)) this.#discard(target);
    renameSync(directory, target);
    this.#known.set(facts.chainId, record);
    return record;
  }

  /** After the file system has been flushed. */
  markSynced(record: LayerRecord): void {
    const { boot: _, ...synced } = record;
    const path = join(this.#layout.layer(record.chainId), "layer.json");
    try {
      writeFileSync(`${path}.new`, JSON.stringify(synced));
      renameSync(`${path}.new`, path);
      this.#known.set(record.chainId, synced);
    } catch (thrown) {
      if (!isSystem(thrown, "ENOENT")) throw thrown;
    }
  }

  /** Says that somebody is about to use it, so that collection leaves it alone for a while. */
  touch(chainId: string, now_ms: number): void {
    try {
      utimesSync(join(this.#layout.layer(chainId), "layer.json"), now_ms / 1000, now_ms / 1000);
    } catch (thrown) {
      if (!isSystem(thrown, "ENOENT")) throw thrown;
    }
  }

  list(): string[] {
    return readdirSync(this.#layout.layers).map(hex => `sha256:${hex}`);
  }

  /** Out of sight at once; the directory is then in trash/. Its link goes too. */
  remove(chainId: string): void {
    const record = this.read(chainId);
    this.#known.delete(chainId);
    this.#discard(this.#layout.layer(chainId));
    if (record !== undefined) rmSync(join(this.#layout.links, record.link), { force: true });
    rmSync(this.#layout.layerLock(chainId), { force: true });
  }

  /** Links to no layer, left by a kill between making the link and the layer. The caller holds the store lock alone. */
  removeDanglingLinks(): void {
    for (const name of readdirSync(this.#layout.links)) {
      const link = join(this.#layout.links, name);
      if (!existsSync(link)) rmSync(link, { force: true });
    }
  }

  #discard(directory: string): void {
    const grave = join(this.#layout.trash, `${hexOfPath(directory)}-${process.pid}-${process.hrtime.bigint()}`);
    try {
      renameSync(directory, grave);
    } catch (thrown) {
      if (!isSystem(thrown, "ENOENT")) throw thrown;
    }
  }

  /** The smallest free number in base 36: with short names 128 layers fit into one mount. */
  #takeLink(hex: string): string {
    const target = `../layers/${hex}/diff`;
    const taken = new Set(readdirSync(this.#layout.links));
    for (let number = 0; ; number++) {
      const name = number.toString(36);
      const link = join(this.#layout.links, name);
      if (taken.has(name)) continue;
      try {
        symlinkSync(target, link);
        return name;
      } catch (thrown) {
        if (!isSystem(thrown, "EEXIST")) throw thrown;
      }
    }
  }

  /** The chain id that a link stands for. */
  chainOfLink(name: string): string {
    const target = readlinkSync(join(this.#layout.links, name));
    return `sha256:${target.split("/")[2] ?? ""}`;
  }
}

const hexOfPath = (directory: string): string => directory.slice(directory.lastIndexOf("/") + 1);
