import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { newId } from "../../base/ids.ts";

/**
 * A secret beside a content store, known to whoever may read that store. A registry over the same store names the key's id; a client that has the key too
 * proves with it, for one upload and one blob, that it holds the blob already, so that the bytes need not travel.
 */
export class StoreKey {
  readonly #path: string;
  #key: Buffer | undefined;

  /** Read, and made where it is missing, on first use. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Tells stores apart, and nothing of the key. */
  get id(): string {
    return createHash("sha256").update("id").update(this.#read()).digest("hex");
  }

  proof(uploadId: string, digest: string): string {
    return createHmac("sha256", this.#read()).update(`${uploadId}\0${digest}`).digest("hex");
  }

  verify(uploadId: string, digest: string, proof: string): boolean {
    const wanted = Buffer.from(this.proof(uploadId, digest));
    const given = Buffer.from(proof);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  #read(): Buffer {
    return (this.#key ??= readKey(this.#path) ?? makeKey(this.#path));
  }
}

function readKey(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}

/** Several processes may do this at once: the first one's key is everybody's, and it is there whole or not at all. */
function makeKey(path: string): Buffer {
  const temporary = `${path}.${newId()}`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(temporary, randomBytes(32), { mode: 0o600, flush: true });
  try {
    linkSync(temporary, path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
  } finally {
    rmSync(temporary);
  }
  return readFileSync(path);
}
