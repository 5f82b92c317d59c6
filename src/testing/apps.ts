import type { App } from "../model/app.ts";
import type { AppRecord, AppVersion } from "../model/app-record.ts";
import type { Dependency, Service } from "../model/service.ts";

/** A service with everything that Compose leaves empty by default. */
export function serviceOf(name: string, given: Partial<Service> = {}): Service {
  return {
    name,
    profiles: [],
    image: `${name}:1`,
    environment: {},
    labels: {},
    annotations: {},
    envFiles: [],
    labelFiles: [],
    dependsOn: {},
    ports: [],
    expose: [],
    networks: { default: {} },
    mounts: [],
    secrets: [],
    configs: [],
    resources: {},
    preStart: [],
    postStart: [],
    preStop: [],
    watch: [],
    extensions: {},
    ...given,
  };
}

export function dependency(given: Partial<Dependency> = {}): Dependency {
  return { condition: "service_started", restart: false, required: true, ...given };
}

export function appOf(name: string, services: Record<string, Partial<Service>>, given: Partial<App> = {}): App {
  return {
    name,
    directory: `/srv/${name}`,
    files: [`/srv/${name}/compose.yaml`],
    services: Object.fromEntries(Object.entries(services).map(([key, service]) => [key, serviceOf(key, service)])),
    disabledServices: {},
    networks: {
      default: { name: `${name}_default`, external: false, options: {}, pools: [], labels: {}, extensions: {} },
    },
    volumes: {},
    secrets: {},
    configs: {},
    models: {},
    profiles: [],
    params: [],
    extensions: {},
    ...given,
  };
}

export function versionOf(number: number, app: App, given: Partial<AppVersion> = {}): AppVersion {
  const images = Object.fromEntries(
    Object.values(app.services).map(service => [service.name, `sha256:${service.image}`]),
  );
  return { number, app, who: "ann", at_ms: 0, message: "", diff: [], images, secrets: {}, configs: {}, ...given };
}

export function recordOf(app: App, version: number, given: Partial<AppRecord> = {}): AppRecord {
  return {
    name: app.name,
    version,
    wanted: "present",
    services: Object.fromEntries(
      Object.keys(app.services).map(name => [name, { version, state: "running", forced: 0, starts: 0 }]),
    ),
    createdAt_ms: 0,
    changedAt_ms: 0,
    ...given,
  };
}
