import { createHash } from "node:crypto";
import type { App } from "../model/app.ts";
import type { Service } from "../model/service.ts";

/** What can change without a container having to be replaced: how many there are, when they start, how they are updated and built. */
const notInContainer: (keyof Service)[] = [
  "name",
  "profiles",
  "scale",
  "dependsOn",
  "attach",
  "build",
  "pullPolicy",
  "watch",
  "envFiles",
  "labelFiles",
  "schedule",
  "deploy",
];

/**
 * A digest of all that makes a service's containers what they are (64 hex digits): the same for the same wish, whatever the order of
 * keys. What its configs hold counts where the app file says it; `contents` adds digests of files, by "secrets.KEY" and "configs.KEY".
 */
export function serviceHash(
  service: Service,
  app: Pick<App, "configs" | "secrets" | "networks" | "volumes">,
  contents: Record<string, string> = {},
): string {
  const own: Record<string, unknown> = { ...service };
  for (const key of notInContainer) delete own[key];
  const { limits, reservations } = service.deploy ?? {};
  const granted = (kind: "configs" | "secrets") =>
    service[kind].map(({ source }) => {
      const { name, origin } = app[kind][source] ?? {};
      return { source, name, origin, digest: contents[`${kind}.${source}`] };
    });
  const names = {
    networks: Object.keys(service.networks).map(key => [key, app.networks[key]?.name]),
    volumes: service.mounts.map(({ type, source }) =>
      type === "volume" && source ? app.volumes[source]?.name : source,
    ),
  };
  const text = stableJson({
    own,
    limits,
    reservations,
    configs: granted("configs"),
    secrets: granted("secrets"),
    names,
  });
  return createHash("sha256").update(text).digest("hex");
}

/** JSON with the keys of every object sorted, and without undefined. */
export function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(item => stableJson(item ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${stableJson(inner)}`).join(",")}}`;
}
