import { BerthError } from "../../base/errors.ts";

const usual = "ctrl-p,ctrl-q";

/** Bytes of a key sequence such as "ctrl-p,ctrl-q" or "a,ctrl-@". Throws `invalid`. */
export function parseDetachKeys(text: string | undefined): number[] {
  return (text || usual).split(",").map(key => {
    const control = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
    if (key.length === 1) return key.charCodeAt(0);
    throw new BerthError("invalid", `detach keys ${JSON.stringify(text)}: ${JSON.stringify(key)} is no key`, {
      hint: "write a letter or ctrl- and one of a-z @ [ \\ ] ^ _, with commas between",
    });
  });
}

/** Looks for the sequence in what is typed; keys that only began it go through after all. */
export class DetachKeys {
  readonly #keys: number[];
  #matched = 0;

  constructor(keys: number[]) {
    this.#keys = keys;
  }

  /** What to pass on, and whether the sequence was completed. */
  filter(data: Buffer): { rest: Buffer; detached: boolean } {
    const out: number[] = [];
    for (const byte of data) {
      if (byte === this.#keys[this.#matched]) {
        if (++this.#matched === this.#keys.length) return { rest: Buffer.from(out), detached: true };
        continue;
      }
      out.push(...this.#keys.slice(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) out.push(byte);
    }
    return { rest: Buffer.from(out), detached: false };
  }
}
