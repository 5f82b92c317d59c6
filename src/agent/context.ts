import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { AppVersion } from "../model/app-record.ts";
import type { Container } from "../model/container.ts";
import type { HostHook } from "../model/service.ts";
import type { Task } from "../model/task.ts";
import type { Engine } from "../ports/engine.ts";
import type { HostLink } from "../wire/host-link.ts";
import type { FileDelivery } from "./file-delivery.ts";
import type { Limiter } from "./limiter.ts";
import type { Reporter } from "./reporter.ts";
import type { Resources } from "./resources.ts";

/** Runs commands of `x-berth.host_hooks` on the host; given only where the host's owner allows them. */
export interface HostHookRunner {
  /** Throws when the command cannot be run, fails or takes too long. */
  run(hook: HostHook, environment: Record<string, string>, options: { signal: AbortSignal }): Promise<void>;
}

/** Another task starts the container again, or takes over its anonymous volumes soon. */
export type Claim = "starts" | "inherits" | undefined;

/** What the agent's parts share. */
export interface AgentContext {
  engine: Engine;
  link: HostLink;
  host: string;
  bootId: string;
  clock: Clock;
  logger: Logger;
  reporter: Reporter;
  resources: Resources;
  files: FileDelivery;
  limiter: Limiter;
  hostHooks: HostHookRunner | undefined;
  /** Of the agent's life. */
  signal: AbortSignal;
  version(task: Task): AppVersion | undefined;
  /** Whether another task of this host still needs the container. */
  isClaimed(container: string, by: Task): Claim;
  /** Whether a task of this host has, or had, this container. */
  isKnown(container: Container): boolean;
  /** Whether another task of its service runs on this host, and is to go on. */
  hasPeer(task: Task): boolean;
  /** Something changed that tasks of the slot may wait for. */
  nudgeSlot(task: Task): void;
}
