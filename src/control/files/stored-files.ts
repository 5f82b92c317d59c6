import { randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { BerthError } from "../../base/errors.ts";
import type { StoredFile } from "../../model/records.ts";
import type { Entry, Store } from "../../ports/store.ts";
import { keys, prefixes } from "../keys.ts";
import { contentName, type Keyring } from "./keyring.ts";

export type FileKind = "secret" | "config";

export interface FileOptions {
  signal?: AbortSignal;
}

/** One that stands for itself, for the apps that name it as external. */
export interface StandaloneFile {
  id: string;
  kind: FileKind;
  name: string;
  labels: Record<string, string>;
  createdAt_ms: number;
}

const namingName = "naming";

/** Contents of secrets and configs in the store: sealed, immutable, each under a name that only equal contents share. */
export class StoredFiles {
  readonly #store: Store;
  readonly #keyring: Keyring;
  readonly #clock: Clock;
  #naming: Promise<Buffer> | undefined;

  constructor(parts: { store: Store; keyring: Keyring; clock: Clock }) {
    this.#store = parts.store;
    this.#keyring = parts.keyring;
    this.#clock = parts.clock;
  }

  /** The id that this content has, or would have. */
  async idOf(app: string, kind: FileKind, name: string, content: Buffer, options: FileOptions = {}): Promise<string> {
    return `${kind}-${contentName(await this.#namingKey(options), `${app}/${kind}/${name}`, content)}`;
  }

  /** Keeps the content; twice is once. */
  async put(
    file: { app?: string; kind: FileKind; name: string; labels?: Record<string, string> },
    content: Buffer,
    options: FileOptions = {},
  ): Promise<string> {
    const id = await this.idOf(file.app ?? "", file.kind, file.name, content, options);
    const value: StoredFile = {
      ...(file.app === undefined ? {} : { app: file.app }),
      name: file.name,
      labels: file.labels ?? {},
      createdAt_ms: this.#clock.now_ms(),
      ...this.#keyring.seal(content, id),
    };
    await this.#store.commit(
      {
        compare: [{ key: keys.file(id), modRevision: 0 }],
        operations: [{ type: "put", key: keys.file(id), value: JSON.stringify(value) }],
      },
      options,
    );
    return id;
  }

  async read(id: string, options: FileOptions = {}): Promise<Buffer> {
    const entry = await this.#store.get(keys.file(id), options);
    if (!entry) throw new BerthError("not_found", `reading the content ${id}: the store does not have it`);
    return this.#keyring.open(parse(entry), id);
  }

  /** External secrets and configs, the newest content of each name. */
  async standalone(kind: FileKind, options: FileOptions = {}): Promise<StandaloneFile[]> {
    const { items } = await this.#store.list(`${prefixes.file}${kind}-`, options);
    const newest = new Map<string, StandaloneFile>();
    for (const entry of items) {
      const { app, name, labels, createdAt_ms } = parse(entry);
      if (app !== undefined || (newest.get(name)?.createdAt_ms ?? -1) > createdAt_ms) continue;
      newest.set(name, { id: entry.key.slice(prefixes.file.length), kind, name, labels, createdAt_ms });
    }
    return [...newest.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async removeStandalone(kind: FileKind, name: string, options: FileOptions = {}): Promise<void> {
    const { items } = await this.#store.list(`${prefixes.file}${kind}-`, options);
    const own = items.filter(entry => parse(entry).app === undefined && parse(entry).name === name);
    if (own.length === 0) throw new BerthError("not_found", `removing ${kind} ${name}: there is none of that name`);
    await this.#store.commit({ operations: own.map(({ key }) => ({ type: "delete", key })) }, options);
  }

  /** Seals everything with the keyring's current key; returns how many had another one. Safe to run again after a crash. */
  async rotate(options: FileOptions = {}): Promise<number> {
    const { items } = await this.#store.list(prefixes.file, options);
    let count = 0;
    for (const entry of items) {
      const file = parse(entry);
      const id = entry.key.slice(prefixes.file.length);
      if (file.keyId === this.#keyring.currentId) continue;
      const resealed = { ...file, ...this.#keyring.seal(this.#keyring.open(file, id), id) };
      await this.#store.commit(
        {
          compare: [{ key: entry.key, modRevision: entry.modRevision }],
          operations: [{ type: "put", key: entry.key, value: JSON.stringify(resealed) }],
        },
        options,
      );
      count++;
    }
    return count;
  }

  /** Names must outlive keys, else every rotation would look like changed secrets: so they have a key of their own, sealed like a file. */
  #namingKey(options: FileOptions): Promise<Buffer> {
    this.#naming ??= this.#loadNamingKey(options).catch(thrown => {
      this.#naming = undefined;
      throw thrown;
    });
    return this.#naming;
  }

  async #loadNamingKey(options: FileOptions): Promise<Buffer> {
    const key = keys.file(namingName);
    const found = await this.#store.get(key, options);
    if (found) return this.#keyring.open(parse(found), namingName);
    const made = randomBytes(32);
    const value: StoredFile = {
      name: namingName,
      labels: {},
      createdAt_ms: this.#clock.now_ms(),
      ...this.#keyring.seal(made, namingName),
    };
    const { committed } = await this.#store.commit(
      { compare: [{ key, modRevision: 0 }], operations: [{ type: "put", key, value: JSON.stringify(value) }] },
      options,
    );
    return committed ? made : this.#loadNamingKey(options);
  }
}

function parse(entry: Entry): StoredFile {
  return JSON.parse(entry.value) as StoredFile;
}
