import { mkdir, readdir, readFile, rename, rm, rmdir, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { newId } from "../base/ids.ts";
import type { Descriptor } from "../model/image.ts";

/** What a repository knows of a manifest, beside its bytes in the content store. */
export interface ManifestRecord {
  mediaType: string;
  size: number;
  artifactType?: string;
  annotations?: Record<string, string>;
  /** Digest of the manifest that this one refers to. */
  subject?: string;
  /** Blobs and manifests that it needs. */
  needs: Pick<Descriptor, "digest" | "size">[];
}

/** Names of a repository's own folders start with an underscore, which no component of a repository's name can. */
const tags = "_tags";
const manifests = "_manifests";
const blobs = "_blobs";
const referrers = "_referrers";

const isMissing = (thrown: unknown) => ["ENOENT", "ENOTDIR"].includes(String((thrown as NodeJS.ErrnoException).code));

/**
 * Which repository has which tags, manifests and blobs: small files, each written whole and renamed into place, so that what is there is always valid
 * and any number of processes may share it. The bytes are in the content store.
 */
export class Repositories {
  readonly #root: string;

  constructor(root: string) {
    this.#root = join(root, "repositories");
  }

  async linkBlob(repository: string, digest: string): Promise<void> {
    await this.#write(this.#path(repository, blobs, hex(digest)), "");
  }

  hasBlob(repository: string, digest: string): Promise<boolean> {
    return exists(this.#path(repository, blobs, hex(digest)));
  }

  /** As `hasBlob`, and the link counts as new: the collector leaves it for its grace. For whoever is about to push a manifest that needs it. */
  async touchBlob(repository: string, digest: string, now_ms: number): Promise<boolean> {
    try {
      await utimes(this.#path(repository, blobs, hex(digest)), now_ms / 1000, now_ms / 1000);
      return true;
    } catch (thrown) {
      if (isMissing(thrown)) return false;
      throw thrown;
    }
  }

  /** False when it was not there. */
  unlinkBlob(repository: string, digest: string): Promise<boolean> {
    return removed(this.#path(repository, blobs, hex(digest)));
  }

  async putManifest(repository: string, digest: string, record: ManifestRecord): Promise<void> {
    await this.#write(this.#path(repository, manifests, hex(digest)), JSON.stringify(record));
    if (record.subject !== undefined)
      await this.#write(this.#path(repository, referrers, hex(record.subject), hex(digest)), "");
  }

  /** Points a tag at a manifest that is there. */
  async setTag(repository: string, tag: string, digest: string): Promise<void> {
    await this.#write(this.#path(repository, tags, tag), digest);
  }

  async manifest(repository: string, digest: string): Promise<ManifestRecord | undefined> {
    const text = await read(this.#path(repository, manifests, hex(digest)));
    return text === undefined ? undefined : (JSON.parse(text) as ManifestRecord);
  }

  async manifestDigests(repository: string): Promise<string[]> {
    return (await list(this.#path(repository, manifests))).map(name => `sha256:${name}`);
  }

  async blobDigests(repository: string): Promise<string[]> {
    return (await list(this.#path(repository, blobs))).map(name => `sha256:${name}`);
  }

  /** When the repository got this blob, for the collector's grace. */
  async blobLinked_ms(repository: string, digest: string): Promise<number | undefined> {
    return (await stat(this.#path(repository, blobs, hex(digest))).catch(() => undefined))?.mtimeMs;
  }

  /** Also takes off the tags that point at it. */
  async removeManifest(repository: string, digest: string): Promise<boolean> {
    const record = await this.manifest(repository, digest);
    if (record === undefined) return false;
    for (const tag of await this.tags(repository))
      if ((await this.tag(repository, tag)) === digest) await this.removeTag(repository, tag);
    if (record.subject !== undefined)
      await removed(this.#path(repository, referrers, hex(record.subject), hex(digest)));
    return await removed(this.#path(repository, manifests, hex(digest)));
  }

  /** The digest that a tag points at. */
  tag(repository: string, name: string): Promise<string | undefined> {
    return read(this.#path(repository, tags, name));
  }

  /** In the order that the specification asks for (ASCII). */
  async tags(repository: string): Promise<string[]> {
    return (await list(this.#path(repository, tags))).sort((a, b) => (a < b ? -1 : 1));
  }

  removeTag(repository: string, name: string): Promise<boolean> {
    return removed(this.#path(repository, tags, name));
  }

  async referrers(repository: string, subject: string): Promise<Descriptor[]> {
    const found: Descriptor[] = [];
    for (const name of (await list(this.#path(repository, referrers, hex(subject)))).sort()) {
      const digest = `sha256:${name}`;
      const record = await this.manifest(repository, digest);
      if (record === undefined) continue;
      const { mediaType, size, artifactType, annotations } = record;
      found.push({ mediaType, digest, size, artifactType, annotations });
    }
    return found;
  }

  async exists(repository: string): Promise<boolean> {
    return (await exists(this.#path(repository, manifests))) || (await exists(this.#path(repository, blobs)));
  }

  /** All repositories that hold a manifest, sorted; `unfinished` adds those that only have blobs yet. */
  async list(options: { unfinished?: boolean } = {}): Promise<string[]> {
    const found: string[] = [];
    const marks = options.unfinished ? [manifests, blobs] : [manifests];
    const visit = async (folder: string): Promise<void> => {
      const names = await list(folder);
      const filled = await Promise.all(
        marks.map(async mark => names.includes(mark) && (await list(join(folder, mark))).length > 0),
      );
      if (filled.includes(true)) found.push(relative(this.#root, folder));
      for (const name of names) if (!name.startsWith("_")) await visit(join(folder, name));
    };
    await visit(this.#root);
    return found.sort((a, b) => (a < b ? -1 : 1));
  }

  /** Takes away the folders of a repository that has nothing left. */
  async removeIfEmpty(repository: string): Promise<void> {
    for (const folder of [tags, manifests, blobs, referrers])
      await rmdir(this.#path(repository, folder)).catch(() => undefined);
    for (let name = repository; name !== "."; name = dirname(name)) {
      const done = await rmdir(this.#path(name)).then(
        () => true,
        () => false,
      );
      if (!done) return;
    }
  }

  #path(repository: string, ...parts: string[]): string {
    return join(this.#root, repository, ...parts);
  }

  async #write(path: string, text: string): Promise<void> {
    const temporary = join(this.#root, `.new-${newId()}`);
    await mkdir(this.#root, { recursive: true });
    try {
      await writeFile(temporary, text, { flush: true });
      // A collector may take the folder away, while it is empty, between its making and the renaming.
      for (let tries = 1; ; tries++) {
        await mkdir(dirname(path), { recursive: true });
        try {
          return await rename(temporary, path);
        } catch (thrown) {
          if (!isMissing(thrown) || tries >= 10) throw thrown;
        }
      }
    } catch (thrown) {
      await rm(temporary, { force: true });
      throw thrown;
    }
  }
}

const hex = (digest: string) => digest.slice("sha256:".length);

async function list(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(name => !name.startsWith("."));
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function removed(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}
