import type {
  Deploy,
  DeployReservations,
  DeviceRequest,
  Placement,
  ServiceMode,
  UpdateConfig,
} from "../../model/deploy.ts";
import type { ComposeService } from "../4-decode/service.ts";
import { defined, duration_ms, nano, size_bytes } from "./values.ts";

type ComposeDeploy = NonNullable<ComposeService["deploy"]>;

/** A scheduled service is a job, said or not. */
export function deployOf({ deploy, scale, "x-berth": berth }: ComposeService): Deploy | undefined {
  if (!deploy && !berth?.schedule) return undefined;
  const {
    resources,
    restart_policy: restart,
    placement,
    update_config,
    rollback_config,
    endpoint_mode,
    labels,
  } = deploy ?? {};
  const standard: ServiceMode = berth?.schedule ? "replicated-job" : "replicated";
  return defined({
    mode: deploy?.mode ?? standard,
    replicas: deploy?.replicas ?? scale,
    endpointMode: endpoint_mode,
    labels: labels ?? {},
    updateConfig: update_config && updateConfigOf(update_config),
    rollbackConfig: rollback_config && updateConfigOf(rollback_config),
    restartPolicy:
      restart &&
      defined({
        condition: restart.condition ?? "any",
        delay_ms: duration_ms(restart.delay),
        maxAttempts: restart.max_attempts,
        window_ms: duration_ms(restart.window),
      }),
    limits:
      resources?.limits &&
      defined({
        nanoCpus: nano(resources.limits.cpus),
        memory_bytes: size_bytes(resources.limits.memory),
        pids: resources.limits.pids,
      }),
    reservations: resources?.reservations && reservationsOf(resources.reservations),
    placement: placement && placementOf(placement),
  });
}

function updateConfigOf(from: NonNullable<ComposeDeploy["update_config"]>): UpdateConfig {
  return defined({
    parallelism: from.parallelism,
    delay_ms: duration_ms(from.delay),
    failureAction: from.failure_action,
    monitor_ms: duration_ms(from.monitor),
    maxFailureRatio: from.max_failure_ratio,
    order: from.order,
  });
}

function reservationsOf(
  from: NonNullable<NonNullable<ComposeDeploy["resources"]>["reservations"]>,
): DeployReservations {
  return defined({
    nanoCpus: nano(from.cpus),
    memory_bytes: size_bytes(from.memory),
    genericResources: from.generic_resources?.flatMap(({ discrete_resource_spec: spec }) =>
      spec ? [{ kind: spec.kind, value: spec.value }] : [],
    ),
    devices: from.devices && deviceRequestsOf(from.devices),
  });
}

function placementOf(from: NonNullable<ComposeDeploy["placement"]>): Placement {
  return defined({
    constraints: from.constraints ?? [],
    spread: (from.preferences ?? []).flatMap(({ spread }) => (spread === undefined ? [] : [spread])),
    // Swarm mode takes 0 for no limit.
    maxReplicasPerHost: from.max_replicas_per_node || undefined,
  });
}

export function deviceRequestsOf(from: NonNullable<ComposeService["gpus"]>): DeviceRequest[] {
  return from.map(({ capabilities = [], driver, count, device_ids: deviceIds, options }) =>
    defined({ capabilities, driver, count, deviceIds, options }),
  );
}
