import { BerthError } from "../base/errors.ts";
import type { AccessRules, Action } from "./access.ts";

/** A registry's configuration file (JSON). */
export interface RegistryConfig {
  /** Where to listen, HOST:PORT. */
  listen: string;
  readOnly: boolean;
  /** Host of the registry that this one mirrors, e.g. registry-1.docker.io. */
  mirror?: string;
  tls?: { certificate: string; key: string };
  access?: AccessRules;
}

const actions = new Set<Action>(["pull", "push", "delete", "catalog"]);

/** Throws `invalid` naming the field. */
export function parseRegistryConfig(text: string, path: string): RegistryConfig {
  let value: Partial<RegistryConfig>;
  try {
    value = JSON.parse(text) as Partial<RegistryConfig>;
  } catch (cause) {
    throw new BerthError("invalid", `${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const fail = (field: string, why: string) =>
    new BerthError("invalid", `${path}: ${field} ${why}`, { hint: "docs/registry.md shows a whole file" });
  const known = ["listen", "readOnly", "mirror", "tls", "access"];
  const strange = Object.keys(value).find(key => !known.includes(key));
  if (strange !== undefined) throw fail(strange, `is not known; there are ${known.join(", ")}`);
  if (value.listen !== undefined && !/^.*:\d+$/.test(value.listen)) throw fail("listen", "must be HOST:PORT");
  if (value.tls !== undefined && !(value.tls.certificate && value.tls.key))
    throw fail("tls", "needs certificate and key");
  for (const [name, user] of Object.entries(value.access?.users ?? {})) {
    if (!/^scrypt\$/.test(user.password ?? ""))
      throw fail(`access.users.${name}.password`, "must be made by 'berth-registry password'");
  }
  for (const [index, rule] of (value.access?.rules ?? []).entries()) {
    const wrong = rule.actions?.find(action => !actions.has(action));
    if (!rule.who || !rule.repositories || !rule.actions)
      throw fail(`access.rules[${index}]`, "needs who, repositories and actions");
    if (wrong !== undefined)
      throw fail(`access.rules[${index}].actions`, `holds "${wrong}"; there are ${[...actions].join(", ")}`);
  }
  const access = value.access && { ...value.access, users: value.access.users ?? {}, rules: value.access.rules ?? [] };
  return {
    listen: value.listen ?? "127.0.0.1:5000",
    readOnly: value.readOnly === true,
    mirror: value.mirror,
    tls: value.tls,
    access,
  };
}
