import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, scryptSync } from "node:crypto";
import { BerthError } from "../../base/errors.ts";

const algorithm = "aes-256-gcm";
const nonce_bytes = 12;
const tag_bytes = 16;

/** Text sealed with a key, and which one. */
export interface Sealed {
  /** base64: nonce, ciphertext, tag. */
  sealed: string;
  keyId: string;
}

/** Seals with the first key, opens with any: a rotation adds one in front, seals everything again and drops the old. */
export class Keyring {
  readonly #keys: { id: string; key: Buffer }[];

  /** Keys of 32 bytes, the current one first. */
  constructor(keys: Buffer[]) {
    for (const key of keys) {
      if (key.length !== 32) throw new BerthError("invalid", `a store key has ${key.length} bytes instead of 32`);
    }
    if (keys.length === 0) throw new BerthError("invalid", "a keyring needs a key");
    this.#keys = keys.map(key => ({
      id: createHash("sha256").update("berth key id").update(key).digest("hex").slice(0, 16),
      key,
    }));
  }

  get currentId(): string {
    return this.#keys[0]!.id;
  }

  /** `context` is authenticated with the content: what was sealed for one place does not open in another. */
  seal(content: Buffer, context: string): Sealed {
    const { id, key } = this.#keys[0]!;
    const nonce = randomBytes(nonce_bytes);
    const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
    return { sealed: sealed.toString("base64"), keyId: id };
  }

  open({ sealed, keyId }: Sealed, context: string): Buffer {
    const found = this.#keys.find(({ id }) => id === keyId);
    if (!found) {
      throw new BerthError("forbidden", `opening ${context}: it is sealed with key ${keyId}, which is not at hand`, {
        hint: "give the key that this store was made with (its key file lies beside the store)",
      });
    }
    const bytes = Buffer.from(sealed, "base64");
    const decipher = createDecipheriv(algorithm, found.key, bytes.subarray(0, nonce_bytes)).setAAD(
      Buffer.from(context),
    );
    decipher.setAuthTag(bytes.subarray(-tag_bytes));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(nonce_bytes, -tag_bytes)), decipher.final()]);
    } catch (thrown) {
      throw new BerthError("corrupt", `opening ${context}: its content was changed since it was sealed`, {
        cause: thrown,
      });
    }
  }
}

/** A key from a passphrase; `salt` must be kept with the store. */
export function keyFromPassphrase(passphrase: string, salt: Buffer): Buffer {
  return scryptSync(passphrase, salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 });
}

/** A name for a content that says nothing about it to those who do not have `namingKey`. 32 hex digits. */
export function contentName(namingKey: Buffer, context: string, content: Buffer): string {
  return createHmac("sha256", namingKey).update(context).update("\0").update(content).digest("hex").slice(0, 32);
}
