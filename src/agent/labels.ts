import type { AppVersion } from "../model/app-record.ts";
import type { Task } from "../model/task.ts";
import { dependenciesOf } from "../plan/dependencies.ts";

/** What Berth finds its own containers by, whatever happened to the process that made them. */
export const taskLabel = "io.berth.task";
export const appLabel = "io.berth.app";
/** On the short-lived containers of pre_start hooks. */
export const hookLabel = "io.berth.hook";
export const serviceLabel = "io.berth.service";
export const slotLabel = "io.berth.slot";
const versionLabel = "io.berth.version";

/** As docker compose writes it; clients show it, and none interprets it. */
const composeVersion = "2.40.3";

/** com.docker.compose.* as docker compose sets them, so that it lists what Berth made (pkg/api/labels.go of docker/compose). */
export function containerLabels(task: Task, version: AppVersion, specHash: string): Record<string, string> {
  const { app } = version;
  const service = app.services[task.service]!;
  const dependencies = Object.entries(dependenciesOf(service))
    .map(([name, { condition, restart }]) => `${name}:${condition}:${restart}`)
    .join(",");
  return {
    ...service.labels,
    "com.docker.compose.project": task.app,
    "com.docker.compose.service": task.service,
    "com.docker.compose.container-number": String(task.number),
    "com.docker.compose.oneoff": "False",
    "com.docker.compose.project.config_files": app.files.join(","),
    "com.docker.compose.project.working_dir": app.directory,
    "com.docker.compose.config-hash": specHash,
    "com.docker.compose.depends_on": dependencies,
    "com.docker.compose.image": task.imageId ?? "",
    "com.docker.compose.version": composeVersion,
    [taskLabel]: task.id,
    [appLabel]: task.app,
    [serviceLabel]: task.service,
    [slotLabel]: task.slot,
    [versionLabel]: String(task.version),
  };
}
