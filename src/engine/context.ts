import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Cgroups } from "../ports/cgroups.ts";
import type { Host } from "../ports/host.ts";
import type { ImageService } from "../ports/images.ts";
import type { LayerStore } from "../ports/layers.ts";
import type { Locks } from "../ports/locks.ts";
import type { Mounts } from "../ports/mounts.ts";
import type { NetworkService } from "../ports/network.ts";
import type { RootFiles } from "../ports/root-files.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { VolumeService } from "../ports/volume.ts";
import { EventLog } from "./events/event-log.ts";
import { StartHooks } from "./start/start-hooks.ts";
import { ContainerStore } from "./state/container-store.ts";
import { NameTable } from "./state/name-table.ts";
import { Paths } from "./state/paths.ts";
import { currentBootId } from "./state/process-alive.ts";

/** Everything that the engine is built from. */
export interface EngineOptions {
  /** Directory for what survives a reboot. */
  root: string;
  /** Directory for what does not; best on a tmpfs, and short: sockets below it must stay under 108 characters. */
  run: string;
  /** Tells this host's engine from others on one kernel: in names of cgroups, bridges and tables. */
  instance: string;
  version: string;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  newId: () => string;
  logger: Logger;
  locks: Locks;
  mounts: Mounts;
  rootFiles: RootFiles;
  images: ImageService;
  layers: LayerStore;
  runtime: Runtime;
  cgroups: Cgroups;
  host: Host;
  networks: NetworkService;
  volumes: VolumeService;
  programs: {
    /** Command line to which the container's id is appended: finishes an exit, restarts by policy (`LocalEngine.onExit`). */
    onExit: string[];
    /** Likewise: runs a container's health checks until it ends or berthd takes over (`LocalEngine.keep`). */
    keep: string[];
  };
  /** Starts a program that outlives this process, with no terminal and no open files of ours. */
  startDetached: (command: string[]) => void;
  settings?: EngineSettings;
}

/** What a host may decide for all of its containers. */
export interface EngineSettings {
  /** Set no_new_privs unless a container says `no-new-privileges=false`. Off: images that use sudo or su work. */
  noNewPrivileges?: boolean;
  /** Network that a container joins when it names none. */
  defaultNetwork?: string;
  /** Host path of tini, for containers that ask for an init process. */
  initPath?: string;
}

/** The parts that every operation works with. */
export interface EngineContext extends EngineOptions {
  paths: Paths;
  store: ContainerStore;
  events: EventLog;
  bootId: string;
  /** Run between a container's making and its start. */
  startHooks: StartHooks;
  /** Set in the process that supervises: called when a restart by policy has come due at some time. */
  onPendingRestart?: (id: string, at_ms: number) => void;
}

export function createContext(options: EngineOptions): EngineContext {
  const paths = new Paths(options.root, options.run);
  const store = new ContainerStore(paths, new NameTable(paths, options.locks), options.locks);
  const events = new EventLog(paths.events, options.clock, options.locks);
  return { ...options, paths, store, events, startHooks: new StartHooks(), bootId: currentBootId() };
}
