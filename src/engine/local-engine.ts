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
import { writeExitScript } from "./lifecycle/keeper.ts";

/** The engine of one host, as a library: no daemon, no state in memory that matters. */
export class LocalEngine implements Pick<Engine, "containers"> {
  readonly containers: ContainerBackend;
  readonly #context: EngineContext;

  constructor(options: EngineOptions) {
    this.#context = createContext(options);
    this.#context.store.makeDirectories();
    writeExitScript(this.#context);
    this.containers = localContainers(this.#context);
  }
}
export type { ImageBackend, NetworkBackend, SystemBackend, VolumeBackend };
