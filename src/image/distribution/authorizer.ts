import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { RegistryAuth } from "../../ports/images.ts";
import { parseObject } from "../manifest.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { RegistrySettings } from "./registry-settings.ts";
import { statusError } from "./transfer-error.ts";
import { discard, type HttpResponse, readBody, type Transport } from "./transport.ts";

const clientId = "berth";

interface AuthorizerOptions {
  transport: Transport;
  settings: RegistrySettings;
  /** Base address of the registry. */
  base: string;
  /** Looked up at the first challenge. */
  auth: () => Promise<RegistryAuth | undefined>;
}

/** Answers a registry's challenges: basic, or a token of its token server for each scope. Lives for one pull or push. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, Promise<string>>();
  #challenge: Challenge | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The header for a request, undefined before the registry has asked for one. */
  async header(scopes: string[], options: CallOptions = {}): Promise<string | undefined> {
    return this.#challenge && this.#answer(this.#challenge, scopes, options);
  }

  /** Takes note of a 401 to a request with `used` as its header. False where it asks for nothing that can be given. */
  async learn(response: HttpResponse, scopes: string[], used: string | undefined): Promise<boolean> {
    const challenges = parseChallenges(response.headers["www-authenticate"] ?? "");
    const chosen =
      challenges.find(({ scheme, parameters }) => scheme === "bearer" && parameters["realm"] !== undefined) ??
      challenges.find(({ scheme }) => scheme === "basic");
    if (chosen === undefined) return false;
    this.#challenge = chosen;
    const token = await this.#tokens.get(keyOf(scopes))?.catch(() => undefined);
    if (used !== undefined && used === `Bearer ${token}`) this.#tokens.delete(keyOf(scopes)); // expired
    return true;
  }

  async #answer(challenge: Challenge, scopes: string[], options: CallOptions): Promise<string | undefined> {
    const auth = await this.#options.auth();
    if (challenge.scheme === "basic") return auth?.username === undefined ? undefined : basic(auth);
    if (auth?.registryToken !== undefined) return `Bearer ${auth.registryToken}`;
    const key = keyOf(scopes);
    const known = this.#tokens.get(key) ?? this.#fetch(challenge, scopes, auth, options);
    this.#tokens.set(key, known);
    try {
      return `Bearer ${await known}`;
    } catch (thrown) {
      this.#tokens.delete(key);
      throw thrown;
    }
  }

  /** GET as the distribution specification's token page has it; POST with an identity token, or where the server wants it so. */
  async #fetch(
    challenge: Challenge,
    scopes: string[],
    auth: RegistryAuth | undefined,
    options: CallOptions,
  ): Promise<string> {
    const realm = this.#realm(challenge);
    if (auth?.identityToken !== undefined) {
      return this.#post(
        realm,
        challenge,
        scopes,
        { grant_type: "refresh_token", refresh_token: auth.identityToken },
        options,
      );
    }
    const url = new URL(realm);
    const { service } = challenge.parameters;
    if (service !== undefined) url.searchParams.set("service", service);
    for (const scope of scopes) url.searchParams.append("scope", scope);
    const headers: Record<string, string> = {};
    if (auth?.username !== undefined) {
      url.searchParams.set("account", auth.username);
      headers["authorization"] = basic(auth);
    }
    const { transport, settings } = this.#options;
    const response = await transport.send(settings, { method: "GET", url: url.href, headers, signal: options.signal });
    if ([404, 405].includes(response.status) && auth?.username !== undefined) {
      discard(response);
      const form = {
        grant_type: "password",
        username: auth.username,
        password: auth.password ?? "",
        access_type: "offline",
      };
      return this.#post(realm, challenge, scopes, form, options);
    }
    return readToken(response, realm);
  }

  async #post(
    realm: URL,
    challenge: Challenge,
    scopes: string[],
    grant: Record<string, string>,
    { signal }: CallOptions,
  ): Promise<string> {
    const form = new URLSearchParams({ ...grant, client_id: clientId, service: challenge.parameters["service"] ?? "" });
    if (scopes.length > 0) form.set("scope", scopes.join(" "));
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const { transport, settings } = this.#options;
    const body = form.toString();
    return readToken(await transport.send(settings, { method: "POST", url: realm.href, headers, body, signal }), realm);
  }

  /** The realm is the registry's word for where to send a password: never unencrypted where the registry itself is encrypted. */
  #realm({ parameters }: Challenge): URL {
    const url = URL.parse(parameters["realm"] ?? "", this.#options.base);
    const isEncrypted = url?.protocol === "https:";
    const mayBePlain = url?.protocol === "http:" && this.#options.base.startsWith("http:");
    if (url !== null && (isEncrypted || mayBePlain)) return url;
    throw new BerthError(
      "forbidden",
      `logging in to ${this.#options.base}: its token server ${parameters["realm"]} is not encrypted`,
    );
  }
}

async function readToken(response: HttpResponse, realm: URL): Promise<string> {
  const where = `${realm.origin}${realm.pathname}`;
  const body = await readBody(response, `the token of ${where}`);
  if (response.status !== 200) {
    const error = statusError(response, body.toString("utf8"), `getting a token from ${where}`);
    // Whatever a token server dislikes (400, 404, 405 for a request without account): it gives no token for these credentials.
    throw error.code === "unavailable"
      ? error
      : new BerthError("unauthorized", error.message, { hint: "log in first (berth login)" });
  }
  const answer = parseObject(body, `the token of ${where}`);
  const token = answer["token"] ?? answer["access_token"];
  if (typeof token === "string" && token !== "") return token;
  throw new BerthError("corrupt", `getting a token from ${where}: the answer holds none`);
}

function basic({ username = "", password = "" }: RegistryAuth): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

const keyOf = (scopes: string[]) => [...scopes].sort().join(" ");
