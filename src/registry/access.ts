import { createHmac, randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { matchesGlob } from "node:path";
import { BerthError } from "../base/errors.ts";

export type Action = "pull" | "push" | "delete" | "catalog";

/** Who may do what. Read from the registry's access file; without one everybody may do everything (on loopback, as a laptop's registry is used). */
export interface AccessRules {
  /** People and robots alike; `scrypt$<salt>$<hash>`, both base64, as `hashPassword` makes it. */
  users: Record<string, { password: string; robot?: boolean; expires?: string }>;
  /** In order; all that fit add up. `who` is a user's name, "*" for every user, "anonymous" for those who are none. */
  rules: { who: string; repositories: string; actions: Action[] }[];
  /** What clients are told to log in with: tokens by default, as Docker Hub has it. */
  scheme?: "token" | "basic";
}

export interface Grant {
  type: "repository" | "registry";
  name: string;
  actions: Action[];
}

const tokenLife_s = 300;

export function hashPassword(password: string): string {
  const salt = randomBytes(16);
  return `scrypt$${salt.toString("base64")}$${scryptSync(password, salt, 32).toString("base64")}`;
}

/** Decides on requests, and issues and checks the tokens of Docker's token authentication (distribution-spec's sibling, docs "auth/token"). */
export class Access {
  readonly #rules: AccessRules;
  readonly #secret: Buffer;
  readonly #now_ms: () => number;
  /** scrypt is slow on purpose; a client sends its password with each request. Bounded. */
  readonly #verified = new Map<string, string>();

  constructor(rules: AccessRules, secret: Buffer, now_ms: () => number) {
    this.#rules = rules;
    this.#secret = secret;
    this.#now_ms = now_ms;
  }

  get scheme(): "token" | "basic" {
    return this.#rules.scheme ?? "token";
  }

  /** The user that an Authorization header (Basic) names; undefined when it names none. Throws `unauthorized` when it is wrong. */
  basicUser(header: string | undefined): string | undefined {
    if (header === undefined || !/^basic /i.test(header)) return undefined;
    const [name = "", ...rest] = Buffer.from(header.slice(6), "base64").toString("utf8").split(":");
    const password = rest.join(":");
    const user = Object.hasOwn(this.#rules.users, name) ? this.#rules.users[name] : undefined;
    if (user === undefined || !this.#matches(user.password, password))
      throw new BerthError("unauthorized", "user name or password is wrong");
    if (user.expires !== undefined && Date.parse(user.expires) <= this.#now_ms())
      throw new BerthError("unauthorized", `the account ${name} expired on ${user.expires}`);
    return name;
  }

  allowed(user: string | undefined, repository: string, action: Action): boolean {
    return this.#rules.rules.some(rule => {
      const fits =
        rule.who === user ||
        (rule.who === "*" && user !== undefined) ||
        (rule.who === "anonymous" && user === undefined);
      return fits && rule.actions.includes(action) && matchesGlob(repository, rule.repositories);
    });
  }

  /** A token for what of the wish is allowed; signed with HMAC-SHA256, good for five minutes. */
  issue(user: string | undefined, wish: Grant[]): { token: string; expires_in: number } {
    const access = wish.map(grant => ({
      ...grant,
      actions: grant.actions.filter(action =>
        grant.type === "registry" ? this.allowed(user, "*", "catalog") : this.allowed(user, grant.name, action),
      ),
    }));
    const body = { sub: user ?? "", exp: Math.floor(this.#now_ms() / 1000) + tokenLife_s, access };
    const text = [{ alg: "HS256", typ: "JWT" }, body]
      .map(part => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    return { token: `${text}.${this.#sign(text)}`, expires_in: tokenLife_s };
  }

  /** What a token grants; undefined when it is not ours, was changed, or has expired. */
  read(token: string): Grant[] | undefined {
    const [head = "", body = "", signature = ""] = token.split(".");
    const expected = Buffer.from(this.#sign(`${head}.${body}`));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const claims = JSON.parse(Buffer.from(body, "base64url").toString("utf8")) as { exp: number; access: Grant[] };
    return claims.exp * 1000 > this.#now_ms() ? claims.access : undefined;
  }

  #matches(stored: string, password: string): boolean {
    const key = createHmac("sha256", this.#secret).update(`${stored}\0${password}`).digest("hex");
    if (this.#verified.get(key) === stored) return true;
    const [scheme, salt = "", hash = ""] = stored.split("$");
    if (scheme !== "scrypt") return false;
    const wanted = Buffer.from(hash, "base64");
    const right = timingSafeEqual(
      scryptSync(password, Buffer.from(salt, "base64"), wanted.length || 32),
      wanted.length ? wanted : Buffer.alloc(32),
    );
    if (right) {
      if (this.#verified.size >= 1000) this.#verified.clear();
      this.#verified.set(key, stored);
    }
    return right && wanted.length > 0;
  }

  #sign(text: string): string {
    return createHmac("sha256", this.#secret).update(text).digest("base64url");
  }
}

/** "repository:team/web:pull,push" as the token endpoint gets it; several are separated by spaces or given several times. */
export function parseScopes(scopes: string[]): Grant[] {
  return scopes
    .flatMap(scope => scope.split(" "))
    .filter(Boolean)
    .map(scope => {
      const match = /^(repository|registry)(?:\([^)]*\))?:(.+):([a-z,*]+)$/.exec(scope);
      if (match === null) throw new BerthError("invalid", `"${scope}" is not a scope`);
      const actions = match[3]!
        .split(",")
        .flatMap(action => (action === "*" ? ["pull", "push", "delete", "catalog"] : [action]));
      return { type: match[1] as Grant["type"], name: match[2]!, actions: actions as Action[] };
    });
}
