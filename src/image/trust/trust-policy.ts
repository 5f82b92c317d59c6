import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import { familiarName, type Reference, repositoryName } from "../reference.ts";
import type { SignatureSource } from "./signature-source.ts";
import { verifySigstore } from "./sigstore.ts";
import { readTrustFile, type TrustRule } from "./trust-file.ts";

/** Which images may be pulled: a rule for each prefix of registry and repository, the longest that fits decides. */
export class TrustPolicy {
  readonly #path: string | undefined;

  /** `path` of trust.json; read at each pull, so that a change counts at once. */
  constructor(path?: string) {
    this.#path = path;
  }

  /** Throws `forbidden` for what may not be pulled at all, before the registry is asked. Returns the rule for `verify`. */
  async ruleFor(reference: Reference): Promise<TrustRule> {
    const { prefixes, otherwise } = await readTrustFile(this.#path);
    const name = repositoryName(reference);
    const found = prefixes.find(({ prefix }) => name === prefix || name.startsWith(`${prefix}/`));
    const rule = found?.rule ?? otherwise;
    if (rule.kind !== "reject") return rule;
    throw new BerthError(
      "forbidden",
      `pulling ${familiarName(reference)}: the trust policy rejects ${found?.prefix ?? "what it does not name"}`,
      {
        hint: `the policy is ${this.#path}`,
      },
    );
  }

  /** Throws `forbidden` unless the rule is met by the manifest or index with this digest. */
  async verify(
    rule: TrustRule,
    reference: Reference,
    digest: string,
    source: SignatureSource,
    options: CallOptions = {},
  ): Promise<void> {
    if (rule.kind !== "signed") return;
    const reasons = await verifySigstore(rule, repositoryName(reference), digest, source, options);
    if (reasons === undefined) return;
    throw new BerthError(
      "forbidden",
      `pulling ${familiarName(reference)}: the trust policy asks for a signature by ${rule.keys.map(key => key.name).join(" or ")}, but ${reasons}`,
      {
        hint: `sign it (cosign sign --key …), or change the policy ${this.#path}`,
      },
    );
  }
}
