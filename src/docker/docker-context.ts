import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Builder } from "../ports/build.ts";
import type { Engine } from "../ports/engine.ts";

/** What the operations translate to. */
export interface DockerContext {
  engine: Pick<Engine, "containers" | "images" | "networks" | "volumes" | "system">;
  builder: Builder;
  clock: Clock;
  logger: Logger;
  /** Stable id of this host, for `docker info`. */
  hostId: string;
}
