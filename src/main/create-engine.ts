import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import type { Environment } from "../base/env.ts";
import { newId } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import { BusyboxSource } from "../drivers/bootstrap/busybox-source.ts";
import { DebianSource } from "../drivers/bootstrap/debian-source.ts";
import { LinuxCgroups } from "../drivers/cgroup/linux-cgroups.ts";
import { ConmonRuntime } from "../drivers/conmon/conmon-runtime.ts";
import { LinuxHost } from "../drivers/host/linux-host.ts";
import { FileLocks } from "../drivers/linux/file-locks.ts";
import { LinuxMounts } from "../drivers/mounts/linux-mounts.ts";
import { BridgeNetworks } from "../drivers/network/bridge-networks.ts";
import { OverlayLayers } from "../drivers/overlay/overlay-layers.ts";
import { runProgram } from "../drivers/programs/run-program.ts";
import { LinuxRootFiles } from "../drivers/root-files/linux-root-files.ts";
import { LocalVolumes } from "../drivers/volume/local-volumes.ts";
import type { EngineOptions } from "../engine/context.ts";
import { LocalEngine } from "../engine/local-engine.ts";
import { DiskContentStore } from "../image/content/content-store.ts";
import { StoreKey } from "../image/content/store-key.ts";
import { RegistryClients } from "../image/distribution/registry-clients.ts";
import { LocalImageService } from "../image/image-service.ts";
import { TrustPolicy } from "../image/trust/trust-policy.ts";
import type { ContentRoots } from "../ports/content.ts";
import { createBuilder } from "./create-builder.ts";
import { openHostRegistry } from "./host-registry.ts";
import { type HostSettings, settingsAsFlags } from "./settings.ts";
import { version } from "./version.ts";

/** The engine of this host with its real parts. Any number of processes may have one at a time. `instead` replaces parts, e.g. which programs it starts. */
export function createEngine(
  settings: HostSettings,
  environment: Environment,
  logger: Logger,
  instead: Partial<EngineOptions> = {},
) {
  const { root, run, instance } = settings;
  const clock = systemClock;
  const random = Math.random;
  const locks = new FileLocks(clock);
  const host = new LinuxHost();
  const content = new DiskContentStore({ root: join(root, "content"), locks, clock });
  const storeKey = new StoreKey(join(root, "content", "key"));
  const layers = new OverlayLayers({ root, content, locks, clock });
  const roots: ContentRoots[] = [];
  const clients = createClients();
  const images = createImages();
  const runtime = new ConmonRuntime({
    runDirectory: join(run, "monitor"),
    searchPath: environment["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    clock,
    cacheDirectory: root,
  });
  const networks = new BridgeNetworks({
    definitionsDirectory: join(root, "networks"),
    stateDirectory: join(run, "network"),
    resolverCommand: [process.execPath, program("berth-dns")],
    ...{ instance, locks, clock, random },
  });
  const volumes = new LocalVolumes({
    directory: join(root, "volumes"),
    stateDirectory: join(run, "volumes"),
    locks,
    clock,
  });
  const engineProgram = [process.execPath, program("berth-engine"), ...settingsAsFlags(settings), "internal"];
  const engine = new LocalEngine({
    ...{
      root,
      run,
      instance,
      version,
      clock,
      random,
      newId,
      logger,
      locks,
      host,
      images,
      layers,
      runtime,
      networks,
      volumes,
    },
    mounts: new LinuxMounts(),
    rootFiles: new LinuxRootFiles(),
    cgroups: new LinuxCgroups(clock),
    programs: { onExit: [...engineProgram, "on-exit"], keep: [...engineProgram, "keep"] },
    startDetached: ([file = "", ...args]) => spawn(file, args, { detached: true, stdio: "ignore", cwd: "/" }).unref(),
    settings: { initPath: findInit() },
    ...instead,
  });
  const builder = createBuilder(settings, environment, { images, layers, locks, host, networks, clients });
  // What the build cache needs must outlive a removed image, and what berthd's registry holds, whether or not it is served right now.
  roots.push(builder.roots, openHostRegistry({ settings, content, locks }));
  return { engine, builder, images, content, locks, storeKey, roots };

  function createClients(): RegistryClients {
    return new RegistryClients({
      ...{ clock, random, runProgram },
      dockerConfig: environment["DOCKER_CONFIG"] ?? join(environment["HOME"] ?? homedir(), ".docker"),
      registriesFile: join(configuration(), "registries.json"),
      proxy: { http: environment["HTTP_PROXY"], https: environment["HTTPS_PROXY"], no: environment["NO_PROXY"] },
    });
  }

  function configuration(): string {
    return environment["BERTH_CONFIG"] ?? "/etc/berth";
  }

  function createImages(): LocalImageService {
    return new LocalImageService({
      ...{ content, layers, locks, clock, clients, storeKey },
      root: join(root, "images"),
      roots,
      trust: new TrustPolicy(join(configuration(), "trust.json")),
      platform: { os: "linux", architecture: host.facts().architecture },
      sources: [new BusyboxSource(), new DebianSource({ clock, environment, directory: join(root, "bootstrap") })],
    });
  }
}

/** A program built beside this one, or its source where this one runs from sources. */
function program(name: string): string {
  const built = join(import.meta.dirname, `${name}.cjs`);
  return existsSync(built) ? built : join(import.meta.dirname, `${name}.ts`);
}

/** For `--init`: the static one, since a container's image need not have the libraries of this host. */
const findInit = () => ["/usr/bin/tini-static", "/sbin/tini-static"].find(path => existsSync(path));
