import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import type { Environment } from "../base/env.ts";
import { LocalBuilder } from "../build/local-builder.ts";
import { HostSourceFetcher } from "../drivers/build/source-fetcher.ts";
import { RuntimeStepRunner } from "../drivers/build/step-runner.ts";
import { layerXattrs } from "../drivers/build/xattrs.ts";
import { hostsFile, resolvConf } from "../engine/network-files.ts";
import type { Host } from "../ports/host.ts";
import type { ImageService } from "../ports/images.ts";
import type { LayerStore } from "../ports/layers.ts";
import type { Locks } from "../ports/locks.ts";
import type { NetworkService } from "../ports/network.ts";
import type { HostSettings } from "./settings.ts";

interface BuilderParts {
  images: ImageService;
  layers: LayerStore;
  locks: Locks;
  host: Host;
  networks: NetworkService;
}

/** The builder of this host, over the same images, layers and networks as its engine. */
export function createBuilder(settings: HostSettings, environment: Environment, parts: BuilderParts): LocalBuilder {
  const { images, layers, locks, host, networks } = parts;
  const clock = systemClock;
  const facts = host.facts();
  const runner = new RuntimeStepRunner({
    ...{ clock, host, networks },
    runDirectory: join(settings.run, "build"),
    searchPath: environment["PATH"] ?? "",
    cgroupRoot: settings.instance === "" ? "berth-build" : `berth-build-${settings.instance}`,
    networkFiles: ({ extraHosts, resolver }) => ({
      hosts: hostsFile(extraHosts.map(toHostsLine)),
      resolvConf: resolvConf({
        hostFile: readFileSync("/etc/resolv.conf", "utf8"),
        resolver,
        servers: [],
        search: [],
        options: [],
      }),
    }),
  });
  return new LocalBuilder({
    ...{ images, layers, locks, runner, clock },
    root: join(settings.root, "build"),
    runPath: join(settings.run, "build-steps"),
    platform: { os: "linux", architecture: facts.architecture },
    fetcher: new HostSourceFetcher(environment),
    xattrs: layerXattrs,
    cpus: facts.cpus,
  });
}

function toHostsLine(entry: string): { address: string; names: string[] } {
  const at = entry.indexOf(":");
  return { address: entry.slice(at + 1), names: [entry.slice(0, at)] };
}
