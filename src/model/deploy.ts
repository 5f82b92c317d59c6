/** How many tasks a service has, where they go and how they are replaced: Compose Deploy Specification, with swarm mode's meaning. */

export type ServiceMode = "replicated" | "global" | "replicated-job" | "global-job";

export type UpdateOrder = "stop-first" | "start-first";

/** deploy.update_config and deploy.rollback_config. Absent fields have swarm mode's defaults (see each). */
export interface UpdateConfig {
  /** Tasks replaced at once; 0 is all of them. Default 1. */
  parallelism?: number;
  /** Between two groups. Default 0. */
  delay_ms?: number;
  /** Default pause. Only update_config may say rollback. */
  failureAction?: "continue" | "pause" | "rollback";
  /** How long a new task is watched for failure. Default 5 s. */
  monitor_ms?: number;
  /** Share of tasks that may fail, 0 to 1. Default 0. */
  maxFailureRatio?: number;
  /** Default stop-first. */
  order?: UpdateOrder;
}

/** deploy.restart_policy; where absent, `Service.restart` counts. */
export interface DeployRestartPolicy {
  condition: "none" | "on-failure" | "any";
  /** Between a task's end and the next start. Default 5 s. */
  delay_ms?: number;
  /** Absent: no limit. */
  maxAttempts?: number;
  /** Attempts older than this are forgotten. Absent: none are. */
  window_ms?: number;
}

export interface DeployLimits {
  /** Billionths of a core. */
  nanoCpus?: number;
  memory_bytes?: number;
  pids?: number;
}

export interface DeployReservations {
  nanoCpus?: number;
  memory_bytes?: number;
  /** Countable things that a host offers, e.g. { kind: "ssd", value: 1 }. */
  genericResources?: { kind: string; value: number }[];
  devices?: DeviceRequest[];
}

/** deploy.resources.reservations.devices and gpus. */
export interface DeviceRequest {
  capabilities: string[];
  driver?: string;
  /** -1 is all. */
  count?: number;
  deviceIds?: string[];
  options?: Record<string, string>;
}

export interface Placement {
  /** "node.labels.disk == ssd" and the like, as typed. */
  constraints: string[];
  /** Labels to spread over, most important first. */
  spread: string[];
  maxReplicasPerHost?: number;
}

export interface Deploy {
  mode: ServiceMode;
  /** Replicated modes only. Absent: 1, or `Service.scale`. */
  replicas?: number;
  endpointMode?: "vip" | "dnsrr";
  /** Labels of the service, not of its containers. */
  labels: Record<string, string>;
  updateConfig?: UpdateConfig;
  rollbackConfig?: UpdateConfig;
  restartPolicy?: DeployRestartPolicy;
  limits?: DeployLimits;
  reservations?: DeployReservations;
  placement?: Placement;
}
