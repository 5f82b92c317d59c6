import { stringify } from "yaml";
import type { App } from "../model/app.ts";
import type { Json } from "../model/service.ts";
import { type ComposeDocument, document as shape } from "./4-decode/document.ts";
import type { Shape } from "./4-decode/shape.ts";
import { imageNames } from "./image-names.ts";
import { serviceHash } from "./service-hash.ts";

export type PrintFormat = "yaml" | "json";

/**
 * The canonical document as `docker compose config` prints it: keys in their usual order, names sorted, `$` written `$$`. Words that
 * YAML 1.1 takes for something else (yes, 22:22, 0440) are quoted, so that older programs read the same.
 */
export function printDocument(document: ComposeDocument, format: PrintFormat = "yaml"): string {
  const arranged = arrange(document as unknown as Json, shape) as { services?: Record<string, Record<string, Json>> };
  if (format === "yaml") return stringify(arranged, { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" });
  // The Docker CLI's JSON always has these two, so that null and [] can be told apart.
  for (const service of Object.values(arranged.services ?? {})) {
    service["command"] ??= null;
    service["entrypoint"] ??= null;
  }
  return `${JSON.stringify(arranged, null, 2)}\n`;
}

function arrange(value: Json, of: Shape<unknown> | undefined): Json {
  if (typeof value === "string") return value.replaceAll("$", "$$$$");
  if (Array.isArray(value)) return value.map(item => arrange(item, of?.item));
  if (typeof value !== "object" || value === null) return value;
  const keys = of?.keys;
  const order = new Map([...(keys?.keys() ?? [])].map((key, index) => [key, index]));
  const place = (key: string) => order.get(key) ?? order.size;
  const sorted = Object.keys(value).sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
  const arranged: Record<string, Json> = {};
  for (const key of sorted) {
    const inner = value[key];
    if (inner === undefined || isEmpty(inner, keys?.get(key))) continue;
    Object.defineProperty(arranged, key, {
      value: arrange(inner, keys?.get(key) ?? of?.item),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return arranged;
}

/** Empty lists and mappings say nothing, except a command that clears the image's, and mappings that name a kind of mount. */
function isEmpty(value: Json, of: Shape<unknown> | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0 && of?.item !== undefined;
  return (
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).length === 0 &&
    of?.keys === undefined &&
    of !== undefined
  );
}

/** One name a line, sorted. */
const lines = (names: Iterable<string>) =>
  [...names]
    .sort()
    .map(name => `${name}\n`)
    .join("");

export const printServices = (app: App) => lines(Object.keys(app.services));
export const printVolumes = (app: App) => lines(Object.keys(app.volumes));
export const printNetworks = (app: App) => lines(Object.keys(app.networks));
export const printImages = (app: App) => lines(new Set(imageNames(app)));

/** All profiles that any service has, active or not. */
export function printProfiles(app: App): string {
  const services = [...Object.values(app.services), ...Object.values(app.disabledServices)];
  return lines(new Set(services.flatMap(({ profiles }) => profiles)));
}

/** `--hash`: "SERVICE HASH" lines for "*" or the services named, with commas. */
export function printHashes(app: App, which: string): string {
  const names = which === "*" ? Object.keys(app.services) : which.split(",");
  return lines(
    names
      .filter(name => Object.hasOwn(app.services, name))
      .map(name => `${name} ${serviceHash(app.services[name]!, app)}`),
  );
}

/** `--environment`: KEY=VALUE lines of what variables are filled in from. */
export const printEnvironment = (environment: Record<string, string>) =>
  lines(Object.entries(environment).map(([key, value]) => `${key}=${value}`));
