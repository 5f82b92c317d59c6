import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Clock } from "../base/clock.ts";
import type { Descriptor } from "../model/image.ts";
import type { BlobInfo, CallOptions, ContentRoots, ContentStore } from "../ports/content.ts";
import type { Lock, LockOptions, Locks } from "../ports/locks.ts";
import { digestOfBytes, readManifest } from "./manifest.ts";
import { RegistryError } from "./registry-error.ts";
import { type ManifestRecord, Repositories } from "./repositories.ts";
import { Uploads } from "./uploads.ts";

/** Where a mirror gets what it does not have. */
export interface Upstream {
  /** By tag or digest. Throws `not_found`, or `unavailable` when the upstream does not answer. */
  manifest(repository: string, reference: string, options: CallOptions): Promise<{ data: Buffer; mediaType: string }>;
  blob(repository: string, blob: Pick<Descriptor, "digest" | "size">, options: CallOptions): Promise<Readable>;
}

export interface RegistryOptions {
  /** Directory for repositories and uploads; the bytes are in `content`. */
  root: string;
  content: ContentStore;
  locks: Locks;
  clock: Clock;
  /** Pull-through: what is missing is fetched from there, kept, and served from here on, also when the upstream is gone. */
  upstream?: Upstream;
}

/** Blobs that no manifest needs yet are left alone for so long: a push sends its blobs first. */
const grace_ms = 60 * 60 * 1000;

/** What the distribution API does, without HTTP. */
export class Registry implements ContentRoots, AsyncDisposable {
  readonly repositories: Repositories;
  readonly uploads: Uploads;
  readonly #root: string;
  readonly #content: ContentStore;
  readonly #locks: Locks;
  readonly #clock: Clock;
  readonly #upstream: Upstream | undefined;
  #prepared: Promise<unknown> | undefined;
  readonly #fetching = new Map<string, Promise<unknown>>();

  constructor({ root, content, locks, clock, upstream }: RegistryOptions) {
    this.#root = root;
    this.#locks = locks;
    this.repositories = new Repositories(root);
    this.uploads = new Uploads(root, content, clock);
    this.#content = content;
    this.#clock = clock;
    this.#upstream = upstream;
  }

  /** `touch` is for clients that ask before a push: the blob stays until they have named it. */
  async blob(repository: string, digest: string, options: CallOptions & { touch?: boolean }): Promise<BlobInfo> {
    if (this.#upstream !== undefined && !(await this.repositories.hasBlob(repository, digest)))
      await this.#fetchBlob(this.#upstream, repository, digest, options);
    // A blob is visible only in the repositories that were given it, although all share one store.
    const { repositories } = this;
    const linked = options.touch
      ? await repositories.touchBlob(repository, digest, this.#clock.now_ms())
      : await repositories.hasBlob(repository, digest);
    const info = linked ? await this.#content[options.touch ? "touch" : "info"](digest, options) : undefined;
    if (info === undefined) throw new RegistryError("BLOB_UNKNOWN", `blob ${digest} is not in ${repository}`);
    return info;
  }

  open(digest: string, range: { start: number; end?: number } | undefined, options: CallOptions): Promise<Readable> {
    return this.#content.open(digest, { ...options, range });
  }

  async finishUpload(
    repository: string,
    id: string,
    body: Readable,
    start: number | undefined,
    digest: string,
    options: CallOptions,
  ): Promise<void> {
    await this.uploads.finish(repository, id, body, start, digest, options);
    await this.repositories.linkBlob(repository, digest);
  }

  /** Ends an upload with a blob that lies in the store already, for a client that has proved to hold it; false, and the upload stays, when it is not there. */
  async adopt(repository: string, id: string, digest: string): Promise<boolean> {
    if ((await this.#content.touch(digest)) === undefined) return false;
    await this.uploads.cancel(repository, id);
    await this.repositories.linkBlob(repository, digest);
    return true;
  }

  /** Makes a blob of another repository this one's too; false when it is not there. */
  async mount(repository: string, from: string, digest: string): Promise<boolean> {
    if (!(await this.repositories.hasBlob(from, digest)) || (await this.#content.touch(digest)) === undefined)
      return false;
    await this.repositories.linkBlob(repository, digest);
    return true;
  }

  async manifest(
    repository: string,
    reference: string,
    options: CallOptions,
  ): Promise<{ digest: string; record: ManifestRecord; data: Buffer }> {
    if (this.#upstream !== undefined) await this.#refreshManifest(this.#upstream, repository, reference, options);
    const digest = reference.includes(":") ? reference : await this.repositories.tag(repository, reference);
    const record = digest === undefined ? undefined : await this.repositories.manifest(repository, digest);
    if (digest === undefined || record === undefined) {
      if (!(await this.repositories.exists(repository)))
        throw new RegistryError("NAME_UNKNOWN", `there is no repository ${repository}`);
      throw new RegistryError("MANIFEST_UNKNOWN", `${repository} has no manifest ${reference}`);
    }
    return { digest, record, data: await this.#content.read(digest, options) };
  }

  /** Stores a manifest whose parts are all there. Two pushes of one tag: each is whole, the later one is what the tag points at. */
  async putManifest(
    repository: string,
    reference: string,
    data: Buffer,
    contentType: string,
    options: CallOptions,
  ): Promise<{ digest: string; subject?: string }> {
    const digest = digestOfBytes(data);
    const isDigest = reference.includes(":");
    if (isDigest && reference !== digest)
      throw new RegistryError("DIGEST_INVALID", `the manifest's digest is ${digest}, not ${reference}`);
    const record = readManifest(data, contentType);
    // Together with others, but not with the collector: what it found unneeded may be what this manifest needs.
    await using _lock = await this.#lock(repository, { ...options, shared: true });
    await this.#checkNeeds(repository, record, options);
    await this.#content.put(data, options);
    await this.repositories.putManifest(repository, digest, record);
    // Once more: a sweep of the store that had looked at a blob before it was touched would have it gone by now.
    try {
      await this.#checkNeeds(repository, record, options);
    } catch (thrown) {
      await this.repositories.removeManifest(repository, digest);
      throw thrown;
    }
    if (!isDigest) await this.repositories.setTag(repository, reference, digest);
    return { digest, subject: record.subject };
  }

  async deleteManifest(repository: string, reference: string): Promise<void> {
    await using _lock = await this.#lock(repository);
    const done = reference.includes(":")
      ? await this.repositories.removeManifest(repository, reference)
      : await this.repositories.removeTag(repository, reference);
    if (!done) throw new RegistryError("MANIFEST_UNKNOWN", `${repository} has no manifest ${reference}`);
  }

  async deleteBlob(repository: string, digest: string): Promise<void> {
    if (!(await this.repositories.unlinkBlob(repository, digest)))
      throw new RegistryError("BLOB_UNKNOWN", `blob ${digest} is not in ${repository}`);
  }

  referrers(repository: string, digest: string): Promise<Descriptor[]> {
    return this.repositories.referrers(repository, digest);
  }

  /**
   * Takes from the repositories what no manifest needs (and, if told to, manifests without a tag), while everything goes on being served. The bytes
   * go with the content store's own collection, which asks `used`.
   */
  async collect(options: { untagged?: boolean } = {}): Promise<{ blobs: number; manifests: number; uploads: number }> {
    const removed = { blobs: 0, manifests: 0, uploads: await this.uploads.collect() };
    for (const repository of await this.repositories.list({ unfinished: true })) {
      await using _lock = await this.#lock(repository);
      if (options.untagged) removed.manifests += await this.#dropUntagged(repository);
      const needed = await this.#needed(repository, await this.repositories.manifestDigests(repository));
      for (const digest of await this.repositories.blobDigests(repository)) {
        if (needed.has(digest)) continue;
        const linked_ms = await this.repositories.blobLinked_ms(repository, digest);
        if (linked_ms === undefined || this.#clock.now_ms() - linked_ms < grace_ms) continue;
        await this.repositories.unlinkBlob(repository, digest);
        removed.blobs++;
      }
      await this.repositories.removeIfEmpty(repository);
    }
    return removed;
  }

  /** Everything that some repository holds. */
  async used(): Promise<{ digests: Set<string>; diffIds: string[][] }> {
    const digests = new Set<string>();
    for (const repository of await this.repositories.list({ unfinished: true })) {
      for (const digest of [
        ...(await this.repositories.manifestDigests(repository)),
        ...(await this.repositories.blobDigests(repository)),
      ])
        digests.add(digest);
    }
    return { digests, diffIds: [] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.uploads[Symbol.asyncDispose]();
  }

  /** Repositories share 256 locks: as many files as that, however many repositories come and go. */
  async #lock(repository: string, options: LockOptions = {}): Promise<Lock> {
    const folder = join(this.#root, "locks");
    this.#prepared ??= mkdir(folder, { recursive: true });
    await this.#prepared;
    return await this.#locks.acquire(join(folder, digestOfBytes(Buffer.from(repository)).slice(7, 9)), options);
  }

  /** Throws MANIFEST_BLOB_UNKNOWN; what is there is left alone by collectors from now on. */
  async #checkNeeds(repository: string, record: ManifestRecord, options: CallOptions): Promise<void> {
    const now_ms = this.#clock.now_ms();
    for (const { digest } of record.needs) {
      const known =
        (await this.repositories.touchBlob(repository, digest, now_ms)) ||
        (await this.repositories.manifest(repository, digest)) !== undefined;
      if (known && (await this.#content.touch(digest, options)) !== undefined) continue;
      throw new RegistryError("MANIFEST_BLOB_UNKNOWN", `the manifest needs ${digest}, which is not in ${repository}`, {
        detail: { digest },
      });
    }
  }

  async #dropUntagged(repository: string): Promise<number> {
    const tagged: string[] = [];
    for (const tag of await this.repositories.tags(repository))
      tagged.push((await this.repositories.tag(repository, tag)) ?? "");
    const reachable = await this.#needed(repository, tagged);
    let count = 0;
    for (const digest of await this.repositories.manifestDigests(repository)) {
      const subject = (await this.repositories.manifest(repository, digest))?.subject;
      if (
        tagged.includes(digest) ||
        reachable.has(digest) ||
        (subject !== undefined && (tagged.includes(subject) || reachable.has(subject)))
      )
        continue;
      if (await this.repositories.removeManifest(repository, digest)) count++;
    }
    return count;
  }

  /** What the given manifests need, their parts' parts included. */
  async #needed(repository: string, manifests: string[]): Promise<Set<string>> {
    const needed = new Set<string>();
    const queue = [...manifests];
    for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
      for (const { digest: part } of (await this.repositories.manifest(repository, digest))?.needs ?? []) {
        if (!needed.has(part)) queue.push(part);
        needed.add(part);
      }
    }
    return needed;
  }

  async #refreshManifest(
    upstream: Upstream,
    repository: string,
    reference: string,
    options: CallOptions,
  ): Promise<void> {
    if (reference.includes(":") && (await this.repositories.manifest(repository, reference)) !== undefined) return;
    try {
      const { data, mediaType } = await upstream.manifest(repository, reference, options);
      const record = readManifest(data, mediaType);
      await this.#content.put(data, options);
      const digest = digestOfBytes(data);
      await this.repositories.putManifest(repository, digest, record);
      if (!reference.includes(":")) await this.repositories.setTag(repository, reference, digest);
    } catch (thrown) {
      // What was fetched before is served, whatever has become of the upstream; what never was is reported as missing by the caller.
      if (options.signal?.aborted) throw thrown;
    }
  }

  async #fetchBlob(upstream: Upstream, repository: string, digest: string, options: CallOptions): Promise<void> {
    const known = await this.#content.touch(digest);
    if (known === undefined) {
      const fetching = this.#fetching.get(digest) ?? this.#download(upstream, repository, digest);
      this.#fetching.set(digest, fetching);
      try {
        await fetching;
      } catch (thrown) {
        if (options.signal?.aborted) throw thrown;
        return;
      } finally {
        this.#fetching.delete(digest);
      }
    }
    await this.repositories.linkBlob(repository, digest);
  }

  /** Not cancelled with the request: others may wait for the same blob, and it is wanted anyway. */
  async #download(upstream: Upstream, repository: string, digest: string): Promise<void> {
    // Private to this call: the upstream's stream always begins at the beginning.
    await using ingest = await this.#content.ingest("");
    const size = await this.#sizeOf(repository, digest);
    await ingest.append(await upstream.blob(repository, { digest, size }, {}));
    await ingest.commit({ digest });
  }

  /** As the manifest says that needs it: clients ask for blobs only after that. */
  async #sizeOf(repository: string, digest: string): Promise<number> {
    for (const manifest of await this.repositories.manifestDigests(repository)) {
      const part = (await this.repositories.manifest(repository, manifest))?.needs.find(need => need.digest === digest);
      if (part !== undefined) return part.size;
    }
    throw new RegistryError("BLOB_UNKNOWN", `no manifest of ${repository} names blob ${digest}`);
  }
}
