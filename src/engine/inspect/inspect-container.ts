import type { Container, ContainerSummary } from "../../model/container.ts";
import type { EngineContext } from "../context.ts";
import { containerState } from "../lifecycle/look.ts";
import { networkMode } from "../lifecycle/namespaces.ts";
import { logLimits } from "../logs/log-options.ts";
import type { ContainerConfig } from "../state/record.ts";

export function inspectContainer(context: EngineContext, reference: string): Container {
  const { paths, store } = context;
  const id = store.find(reference);
  const config = store.config(id);
  const stored = store.state(id);
  const state = containerState(context, id);
  const isUp = state.pid > 0;
  const { process: merged } = config;
  return {
    id,
    name: config.name,
    createdAt: config.createdAt,
    imageId: config.imageId,
    spec: { ...config.spec, name: config.name, hostname: config.hostname, endpoints: config.endpoints },
    process: { args: merged.args, env: merged.env, workingDir: merged.workingDir, user: merged.user },
    labels: merged.labels,
    exposedPorts: merged.exposedPorts,
    stopSignal: merged.stopSignal,
    stopTimeout_ms: merged.stopTimeout_ms,
    healthCheck: merged.healthCheck,
    state,
    endpoints: isUp ? stored.endpoints : [],
    publishedPorts: isUp ? stored.publishedPorts : [],
    mounts: config.mounts,
    logPath: logLimits(config.spec.log) ? paths.log(id) : "",
    hostnamePath: paths.file(id, "hostname"),
    hostsPath: paths.file(id, "hosts"),
    resolvConfPath: paths.file(id, "resolv.conf"),
    rootfsPath: config.rootfsPath,
    upperPath: config.upperPath,
    netnsPath: isUp && networkMode(config.spec).kind !== "host" ? `/proc/${state.pid}/ns/net` : "",
    runtime: config.spec.runtime ?? "",
  };
}

/** A line of `ps`: two small files, one lock to look at. */
export function summarize(context: EngineContext, config: ContainerConfig): ContainerSummary {
  const state = containerState(context, config.id);
  const stored = context.store.state(config.id);
  const isUp = state.pid > 0;
  return {
    id: config.id,
    name: config.name,
    createdAt: config.createdAt,
    image: config.spec.image,
    imageId: config.imageId,
    args: config.process.args,
    labels: config.process.labels,
    state,
    publishedPorts: isUp ? stored.publishedPorts : [],
    exposedPorts: config.process.exposedPorts,
    endpoints: isUp ? stored.endpoints : [],
    mounts: config.mounts,
    networkMode: config.spec.namespaces.network || "default",
  };
}
