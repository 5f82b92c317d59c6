import type { App, AppNetwork, AppVolume } from "../model/app.ts";
import type { NetworkSpec } from "../model/network.ts";
import type { NetworkRecord, VolumeRecord } from "../model/records.ts";
import type { VolumeSpec } from "../model/volume.ts";
import { hashOf } from "./canonical.ts";
import { usedVolumes } from "./task-spec.ts";

/** com.docker.compose.version as docker compose would write it: clients show it, and none interprets it. */
const composeVersion = "2.40.3";

function composeLabels(app: string, kind: "network" | "volume", key: string, hash: string): Record<string, string> {
  return {
    [`com.docker.compose.${kind}`]: key,
    "com.docker.compose.project": app,
    "com.docker.compose.version": composeVersion,
    "com.docker.compose.config-hash": hash,
    "io.berth.app": app,
  };
}

export function networkRecord(app: string, key: string, network: AppNetwork): NetworkRecord {
  const spec: NetworkSpec = {
    name: network.name,
    driver: network.driver ?? "bridge",
    internal: network.internal,
    attachable: network.attachable,
    enableIpv4: network.enableIpv4,
    enableIpv6: network.enableIpv6,
    ipamDriver: network.ipamDriver,
    ipamOptions: network.ipamOptions,
    pools: network.pools,
    options: network.options,
    labels: network.labels,
  };
  const hash = hashOf(spec);
  return { app, hash, spec: { ...spec, labels: { ...network.labels, ...composeLabels(app, "network", key, hash) } } };
}

export function volumeRecord(app: string, key: string, volume: AppVolume): VolumeRecord {
  const spec: VolumeSpec = {
    name: volume.name,
    driver: volume.driver ?? "local",
    options: volume.options,
    labels: volume.labels,
  };
  // Labels do not change what a volume holds: a volume is never made anew for them.
  const hash = hashOf({ ...spec, labels: {} });
  return { app, hash, spec: { ...spec, labels: { ...volume.labels, ...composeLabels(app, "volume", key, hash) } } };
}

/** The app's own networks that these services join, by name. */
export function wantedNetworks(app: App, services: Iterable<string>): Map<string, NetworkRecord> {
  const wanted = new Map<string, NetworkRecord>();
  for (const name of services) {
    for (const key of Object.keys(app.services[name]?.networks ?? {})) {
      const network = app.networks[key];
      if (network && !network.external) wanted.set(network.name, networkRecord(app.name, key, network));
    }
  }
  return wanted;
}

/** The app's own volumes that these services mount, by name. */
export function wantedVolumes(app: App, services: Iterable<string>): Map<string, VolumeRecord> {
  const wanted = new Map<string, VolumeRecord>();
  for (const name of services) {
    const service = app.services[name];
    for (const key of service ? usedVolumes(service) : []) {
      const volume = app.volumes[key];
      if (volume && !volume.external) wanted.set(volume.name, volumeRecord(app.name, key, volume));
    }
  }
  return wanted;
}
