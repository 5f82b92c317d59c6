import type { ComposeDocument } from "../4-decode/document.ts";
import type { ComposeService } from "../4-decode/service.ts";

export interface Selection {
  /** Active profiles, sorted. */
  profiles: string[];
  enabled: Record<string, ComposeService>;
  disabled: Record<string, ComposeService>;
}

/** A service is enabled when it has no profile or an active one. Naming a service activates its profiles; a dependency does not. */
export function selectServices(
  document: ComposeDocument,
  profiles: readonly string[],
  named: readonly string[],
): Selection {
  const active = new Set(profiles);
  const services = document.services ?? {};
  for (const name of named) for (const profile of services[name]?.profiles ?? []) active.add(profile);
  const selection: Selection = { profiles: [...active].sort(), enabled: {}, disabled: {} };
  for (const [name, service] of Object.entries(services)) {
    const own = service.profiles ?? [];
    const enabled =
      own.length === 0 || active.has("*") || own.some(profile => active.has(profile)) || named.includes(name);
    selection[enabled ? "enabled" : "disabled"][name] = service;
  }
  return selection;
}

/** --profile, else COMPOSE_PROFILES. */
export function activeProfiles(given: readonly string[] | undefined, environment: Record<string, string>): string[] {
  if (given && given.length > 0) return [...given];
  return (environment["COMPOSE_PROFILES"] ?? "")
    .split(",")
    .map(profile => profile.trim())
    .filter(profile => profile !== "");
}

/** Networks, volumes, secrets, configs and models that no enabled service uses are no part of the app that runs. */
export function dropUnused(document: ComposeDocument, enabled: Record<string, ComposeService>): void {
  const services = Object.values(enabled);
  const used = {
    networks: services.flatMap(({ networks = {} }) => Object.keys(networks)),
    volumes: services.flatMap(({ volumes = [] }) =>
      volumes.flatMap(({ type, source }) => (type === "volume" && source ? [source] : [])),
    ),
    secrets: services.flatMap(({ secrets = [], build }) =>
      [...secrets, ...(build?.secrets ?? [])].map(({ source }) => source),
    ),
    configs: services.flatMap(({ configs = [], credential_spec: spec }) => [
      ...configs.map(({ source }) => source),
      ...(spec?.config ? [spec.config] : []),
    ]),
    models: services.flatMap(({ models = {} }) => Object.keys(models)),
  };
  for (const section of ["networks", "volumes", "secrets", "configs", "models"] as const) {
    const keep = new Set(used[section]);
    const items = document[section];
    for (const key of Object.keys(items ?? {})) if (!keep.has(key)) delete items![key];
    if (items && Object.keys(items).length === 0) delete document[section];
  }
}
