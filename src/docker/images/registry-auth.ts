import { BerthError } from "../../base/errors.ts";
import type { RegistryAuth } from "../../ports/images.ts";
import type { Exchange } from "../http/exchange.ts";
import { Fields } from "../http/fields.ts";

/** Docker's AuthConfig. `auth` is user:password in base64. */
export function authOf(fields: Fields): RegistryAuth {
  const [user, password] = Buffer.from(fields.text("auth") ?? "", "base64")
    .toString("utf8")
    .split(/:(.*)/s);
  return {
    username: fields.text("username") || user || undefined,
    password: fields.text("password") || password || undefined,
    identityToken: fields.text("identitytoken") || undefined,
    registryToken: fields.text("registrytoken") || undefined,
  };
}

/** X-Registry-Auth: the AuthConfig for the one registry that is asked; undefined where there is nothing in it. */
export function requestAuth(exchange: Exchange): RegistryAuth | undefined {
  const fields = headerFields(exchange, "x-registry-auth");
  if (fields === undefined) return undefined;
  const auth = authOf(fields);
  return Object.values(auth).some(Boolean) ? auth : undefined;
}

/** X-Registry-Config: registry -> AuthConfig, for all that a build may pull from. */
export function buildAuth(exchange: Exchange): ((registry: string) => RegistryAuth | undefined) | undefined {
  const fields = headerFields(exchange, "x-registry-config");
  if (fields === undefined) return undefined;
  const known = new Map(fields.names().map(name => [hostOf(name), authOf(fields.object(name) ?? new Fields({}))]));
  return registry => known.get(hostOf(registry));
}

function hostOf(address: string): string {
  const host = address.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return host === "index.docker.io" || host === "registry-1.docker.io" ? "docker.io" : host;
}

function headerFields({ request }: Exchange, name: string): Fields | undefined {
  const text = request.headers[name];
  if (typeof text !== "string" || text === "") return undefined;
  try {
    // Both alphabets of base64 are in use, and Buffer reads either.
    const value: unknown = JSON.parse(Buffer.from(text, "base64").toString("utf8") || "{}");
    return value === null ? undefined : new Fields(value, name);
  } catch (cause) {
    throw new BerthError("invalid", `the header ${name} is not JSON in base64`, { cause });
  }
}
