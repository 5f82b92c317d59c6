import { listOf, object, pairs, texts } from "./collections.ts";
import { deviceRequests } from "./device-requests.ts";
import { decimal, duration, integer, oneOf, size, text } from "./scalars.ts";

const updateKeys = {
  parallelism: integer(0),
  delay: duration,
  monitor: duration,
  max_failure_ratio: decimal(0, 1),
  order: oneOf("start-first", "stop-first"),
};

const genericResources = listOf(
  object(
    "a resource",
    {},
    { discrete_resource_spec: object("a discrete resource", { kind: text, value: integer(0) }, {}) },
  ),
);

const resources = object(
  "resources",
  {},
  {
    limits: object("limits", {}, { cpus: decimal(0), memory: size, pids: integer(-1) }),
    reservations: object(
      "reservations",
      {},
      { cpus: decimal(0), memory: size, generic_resources: genericResources, devices: deviceRequests },
    ),
  },
);

/** services.*.deploy (Compose Deploy Specification), with swarm mode's job modes. */
export const deploy = object(
  "deploy",
  {},
  {
    mode: oneOf("replicated", "global", "replicated-job", "global-job"),
    endpoint_mode: oneOf("vip", "dnsrr"),
    replicas: integer(0),
    labels: pairs("labels", "empty"),
    update_config: object(
      "update_config",
      {},
      { ...updateKeys, failure_action: oneOf("continue", "pause", "rollback") },
    ),
    rollback_config: object("rollback_config", {}, { ...updateKeys, failure_action: oneOf("continue", "pause") }),
    resources,
    restart_policy: object(
      "restart_policy",
      {},
      { condition: oneOf("none", "on-failure", "any"), delay: duration, max_attempts: integer(0), window: duration },
    ),
    placement: object(
      "placement",
      {},
      {
        constraints: texts,
        preferences: listOf(object("a preference", {}, { spread: text })),
        max_replicas_per_node: integer(0),
      },
    ),
  },
);
