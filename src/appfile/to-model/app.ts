import type {
  App,
  AppConfig,
  AppModel,
  AppNetwork,
  AppParam,
  AppSecret,
  AppVolume,
  FileOrigin,
} from "../../model/app.ts";
import type { Service } from "../../model/service.ts";
import type {
  ComposeConfig,
  ComposeDocument,
  ComposeNetwork,
  ComposeSecret,
  ComposeVolume,
} from "../4-decode/document.ts";
import type { ComposeService } from "../4-decode/service.ts";
import type { FileOrigins } from "../8-resolve/env-files.ts";
import type { Selection } from "../8-resolve/profiles.ts";
import { serviceOf } from "./service.ts";
import { defined, extensionsOf, mapValues } from "./values.ts";

export interface AppFacts {
  name: string;
  directory: string;
  files: string[];
  params: AppParam[];
  origins: FileOrigins;
}

/** The typed App of a canonical document that has been checked. */
export function appOf(document: ComposeDocument, selection: Selection, { origins, ...facts }: AppFacts): App {
  const service = (from: ComposeService, name: string): Service => {
    const { envFiles, labelFiles } = origins.get(name) ?? { envFiles: [], labelFiles: [] };
    return { ...serviceOf(name, from), envFiles: envFiles.map(defined), labelFiles };
  };
  return {
    ...facts,
    services: mapValues(selection.enabled, service),
    disabledServices: mapValues(selection.disabled, service),
    networks: mapValues(document.networks, network),
    volumes: mapValues(document.volumes, volume),
    secrets: mapValues(document.secrets, secret),
    configs: mapValues(document.configs, config),
    models: mapValues(document.models, model),
    profiles: selection.profiles,
    extensions: extensionsOf(document, "x-berth"),
  };
}

function network(value: ComposeNetwork, key: string): AppNetwork {
  return defined({
    name: value.name ?? key,
    external: value.external ?? false,
    driver: value.driver,
    options: value.driver_opts ?? {},
    internal: value.internal,
    attachable: value.attachable,
    enableIpv4: value.enable_ipv4,
    enableIpv6: value.enable_ipv6,
    ipamDriver: value.ipam?.driver,
    ipamOptions: value.ipam?.options,
    pools: (value.ipam?.config ?? []).map(({ subnet = "", gateway, ip_range, aux_addresses }) =>
      defined({ subnet, gateway, ipRange: ip_range, auxAddresses: aux_addresses }),
    ),
    labels: value.labels ?? {},
    extensions: extensionsOf(value),
  });
}

function volume(value: ComposeVolume, key: string): AppVolume {
  return defined({
    name: value.name ?? key,
    external: value.external ?? false,
    driver: value.driver,
    options: value.driver_opts ?? {},
    labels: value.labels ?? {},
    extensions: extensionsOf(value),
  });
}

function secret(value: ComposeSecret, key: string): AppSecret {
  const { driver, driver_opts: options = {} } = value;
  return file(value, key, driver === undefined ? undefined : { from: "driver", driver, options });
}

function config(value: ComposeConfig, key: string): AppConfig {
  return file(value, key, value.content === undefined ? undefined : { from: "content", content: value.content });
}

function file(value: ComposeSecret | ComposeConfig, key: string, other: FileOrigin | undefined): AppSecret {
  const origin: FileOrigin =
    value.file !== undefined
      ? { from: "file", path: value.file }
      : value.environment !== undefined
        ? { from: "environment", variable: value.environment }
        : (other ?? { from: "external" });
  return defined({
    name: value.name ?? key,
    origin,
    labels: value.labels ?? {},
    templateDriver: value.template_driver,
    extensions: extensionsOf(value),
  });
}

function model(value: NonNullable<ComposeDocument["models"]>[string]): AppModel {
  const { name, model: source, context_size: contextSize, runtime_flags: runtimeFlags = [] } = value;
  return defined({ name, model: source, contextSize, runtimeFlags, extensions: extensionsOf(value) });
}
