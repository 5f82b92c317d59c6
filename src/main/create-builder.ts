import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import type { Environment } from "../base/env.ts";
import { BorrowingImages } from "../build/isolated/borrowing-images.ts";
import { FallthroughContent } from "../build/isolated/fallthrough-content.ts";
import { type IsolatedRoot, pinName } from "../build/isolated/isolated-build.ts";
import { LocalBuilder } from "../build/local-builder.ts";
import { borrowLayers } from "../drivers/build/borrow-layers.ts";
import { HostSourceFetcher } from "../drivers/build/source-fetcher.ts";
import { RuntimeStepRunner } from "../drivers/build/step-runner.ts";
import { layerXattrs } from "../drivers/build/xattrs.ts";
import { LinuxCgroups } from "../drivers/cgroup/linux-cgroups.ts";
import { BridgeNetworks } from "../drivers/network/bridge-networks.ts";
import { OverlayLayers } from "../drivers/overlay/overlay-layers.ts";
import { hostsFile, resolvConf } from "../engine/network-files.ts";
import { DiskContentStore } from "../image/content/content-store.ts";
import type { RegistryClients } from "../image/distribution/registry-clients.ts";
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
  clients: RegistryClients;
}

/** The builder of this host, over the same images, layers and networks as its engine. */
export function createBuilder(settings: HostSettings, environment: Environment, parts: BuilderParts): LocalBuilder {
  const isolatedRoots = {
    directory: join(settings.root, "build", "isolated"),
    open: (id: string) => openIsolatedRoot(id, settings, environment, parts),
  };
  return new LocalBuilder({ ...commonParts(settings, environment, parts), isolatedRoots });
}

function commonParts(settings: HostSettings, environment: Environment, parts: BuilderParts) {
  const { images, layers, locks, host, networks, clients } = parts;
  const clock = systemClock;
  const facts = host.facts();
  const runner = new RuntimeStepRunner({
    ...{ clock, host, networks },
    runDirectory: join(settings.run, "build"),
    // The choice of a runtime outlives a reboot, and isolated roots need not make it again.
    cacheDirectory: settings.root,
    searchPath: environment["PATH"] ?? "",
    cgroupRoot: cgroupRootOf(settings),
    networkFiles,
  });
  return {
    ...{ images, layers, locks, runner, clock, clients },
    root: join(settings.root, "build"),
    runPath: join(settings.run, "build-steps"),
    platform: { os: "linux", architecture: facts.architecture },
    fetcher: new HostSourceFetcher(environment),
    xattrs: layerXattrs,
    cpus: facts.cpus,
  };
}

function cgroupRootOf({ instance }: HostSettings): string {
  return instance === "" ? "berth-build" : `berth-build-${instance}`;
}

function networkFiles(input: { extraHosts: string[]; gateway?: string; resolver?: string; onHost: boolean }) {
  const hosts = hostsFile(input.extraHosts.map(entry => toHostsLine(entry, input.gateway)));
  return {
    hosts: input.onHost ? `${readFileSync("/etc/hosts", "utf8")}\n${hosts}` : hosts,
    resolvConf: resolvConf({
      hostFile: readFileSync("/etc/resolv.conf", "utf8"),
      resolver: input.resolver,
      servers: [],
      search: [],
      options: [],
    }),
  };
}

/** "name:address" or "name=address"; host-gateway is the host as the step's network sees it. */
function toHostsLine(entry: string, gateway = "127.0.0.1"): { address: string; names: string[] } {
  const at = entry.search(/[:=]/);
  const address = entry.slice(at + 1).replace(/^\[(.*)\]$/, "$1");
  return { address: address === "host-gateway" ? gateway : address, names: [entry.slice(0, at)] };
}

/** A whole engine root for one build: its own content, layers, images, networks and cache, standing on the host's base images. */
async function openIsolatedRoot(
  id: string,
  settings: HostSettings,
  environment: Environment,
  parts: BuilderParts,
): Promise<IsolatedRoot> {
  const { locks, host, clients, layers: hostLayers } = parts;
  const clock = systemClock;
  const own: HostSettings = {
    ...settings,
    root: join(settings.root, "build", "isolated", id),
    run: join(settings.run, "isolated", id),
    instance: `i${id.slice(0, 11)}`,
  };
  for (const directory of [own.root, own.run]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const content = new FallthroughContent(
    new DiskContentStore({ root: join(own.root, "content"), locks, clock }),
    parts.images.content,
  );
  const layers = new OverlayLayers({ root: own.root, content, locks, clock });
  const pins: string[] = [];
  const borrow = async (diffIds: string[]) => {
    const pin = pinName(id, pins.length);
    pins.push(pin);
    await hostLayers.createRoot(pin, diffIds);
    borrowLayers(settings.root, own.root, diffIds);
  };
  const platform = { os: "linux", architecture: host.facts().architecture };
  const images = new BorrowingImages(
    { root: join(own.root, "images"), content, layers, locks, clock, clients, platform },
    parts.images,
    borrow,
  );
  const networks = new BridgeNetworks({
    definitionsDirectory: join(own.root, "networks"),
    stateDirectory: join(own.run, "network"),
    ...{ instance: own.instance, locks, clock, random: Math.random },
  });
  const builder = new LocalBuilder(commonParts(own, environment, { images, layers, locks, host, networks, clients }));
  return {
    ...{ builder, images },
    async [Symbol.asyncDispose]() {
      await networks.check(new Set(), { repair: true });
      await layers[Symbol.asyncDispose]();
      await new LinuxCgroups(clock).remove(`/${cgroupRootOf(own)}`);
      for (const pin of pins) await hostLayers.removeRoot(pin);
      for (const directory of [own.run, own.root]) rmSync(directory, { recursive: true, force: true });
    },
  };
}
