import { mkdirSync } from "node:fs";
import type { CallOptions } from "../ports/content.ts";
import type {
  ContainerBackend,
  Engine,
  ImageBackend,
  NetworkBackend,
  SystemBackend,
  VolumeBackend,
} from "../ports/engine.ts";
import { localContainers } from "./containers/local-containers.ts";
import { createContext, type EngineContext, type EngineOptions } from "./context.ts";
import { localImages } from "./images/local-images.ts";
import { writeExitScript } from "./lifecycle/keeper.ts";
import { localNetworks } from "./networks/local-networks.ts";
import { keepContainer } from "./supervise/keep.ts";
import { onExit } from "./supervise/on-exit.ts";
import { type SuperviseOptions, Supervisor } from "./supervise/supervisor.ts";
import { localSystem } from "./system/local-system.ts";
import { localVolumes } from "./volumes/local-volumes.ts";

/**
 * The engine of one host, as a library. It keeps nothing in memory that matters: any number of processes may work on the same directories at once, each with an
 * engine of its own, and each may be killed at any moment. See docs/design/engine.md.
 */
export class LocalEngine implements Engine {
  readonly containers: ContainerBackend;
  readonly images: ImageBackend;
  readonly networks: NetworkBackend;
  readonly volumes: VolumeBackend;
  readonly system: SystemBackend;
  readonly #context: EngineContext;

  constructor(options: EngineOptions) {
    mkdirSync(options.root, { recursive: true, mode: 0o711 });
    mkdirSync(options.run, { recursive: true, mode: 0o711 });
    const context = createContext(options);
    context.store.makeDirectories();
    writeExitScript(context);
    this.#context = context;
    this.containers = localContainers(context);
    this.images = localImages(context);
    this.networks = localNetworks(context);
    this.volumes = localVolumes(context);
    this.system = localSystem(context);
  }

  supervise(options: SuperviseOptions): Promise<void> {
    return new Supervisor(this.#context, options.signal).run(options);
  }

  /** `berth-engine internal on-exit ID`, run by the monitor of a container that has ended. */
  onExit(id: string, options?: CallOptions): Promise<void> {
    return onExit(this.#context, id, options);
  }

  /** `berth-engine internal supervise ID`, started beside a container that has a health check. */
  keep(id: string, options?: CallOptions): Promise<void> {
    return keepContainer(this.#context, id, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
