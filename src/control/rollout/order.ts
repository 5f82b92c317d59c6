import type { UpdateConfig, UpdateOrder } from "../../model/deploy.ts";
import type { RolloutState } from "../../model/rollout.ts";
import type { Service } from "../../model/service.ts";
import type { WantedService } from "../../plan/wanted.ts";

/** update_config with swarm mode's defaults. */
export type UpdateRules = Required<UpdateConfig>;

/** Longest time that a new task may take until it runs and is healthy; then it counts as failed (swarm mode waits for ever). */
export const progressDeadline_ms = 600_000;

export function updateRules(service: Service, state: RolloutState): UpdateRules {
  const rollback = state === "rolling-back" || state === "rollback-paused" || state === "rolled-back";
  const config = (rollback ? service.deploy?.rollbackConfig : service.deploy?.updateConfig) ?? {};
  return {
    parallelism: config.parallelism ?? 1,
    delay_ms: config.delay_ms ?? 0,
    // A rollback is never rolled back.
    failureAction: rollback && config.failureAction === "rollback" ? "pause" : (config.failureAction ?? "pause"),
    monitor_ms: config.monitor_ms ?? 5000,
    maxFailureRatio: config.maxFailureRatio ?? 0,
    order: config.order ?? "stop-first",
  };
}

/** What two tasks cannot hold at once makes the update stop first, whatever was asked. */
export function stopFirstReason(service: Service): string | undefined {
  // Those in mode `ingress` are the service's: its tasks share them.
  const port = service.ports.find(
    ({ mode, hostPort, hostPortEnd }) => mode === "host" && hostPort !== undefined && hostPortEnd === undefined,
  );
  if (port) return `port ${port.hostPort} of the host can be held by one task only`;
  if (service.networkMode === "host") return "both tasks would use the host's ports";
  if (Object.values(service.networks).some(({ ipv4, ipv6 }) => ipv4 ?? ipv6)) {
    return "its fixed address can be held by one task only";
  }
  return undefined;
}

export function updateOrder({ service }: WantedService): UpdateOrder {
  const asked = service.deploy?.updateConfig?.order ?? "stop-first";
  return asked === "start-first" && stopFirstReason(service) === undefined ? "start-first" : "stop-first";
}
