import { cronProblem, isTimeZone } from "../../model/schedule.ts";
import { parseRange } from "../4-decode/ports.ts";
import type { ComposeService } from "../4-decode/service.ts";
import type { Report } from "./check.ts";

/** Rules between the keys of one service. Paths start at the service. */
export function checkService(service: ComposeService, report: Report): void {
  if (service.image === undefined && !service.build && !service.provider) {
    report([], "the service has neither an image nor a build", "give it image: or build:");
  }
  if (service.build?.dockerfile && service.build.dockerfile_inline !== undefined) {
    report(["build"], "dockerfile and dockerfile_inline exclude each other");
  }
  if (service.network_mode && service.networks) {
    report(["network_mode"], "network_mode and networks exclude each other", "take one of them out");
  }
  if (service.pull_policy === "build" && !service.build) report(["pull_policy"], "pull_policy: build needs build:");
  if (service.healthcheck?.disable && service.healthcheck.test && service.healthcheck.test[0] !== "NONE") {
    report(["healthcheck"], "a health check that is disabled has a test", "take test or disable out");
  }
  checkScale(service, report);
  checkMounts(service, report);
  checkPorts(service, report);
  checkDevices(service, report);
  checkWatch(service, report);
  checkJob(service, report);
}

function checkScale(service: ComposeService, report: Report): void {
  const { deploy, scale } = service;
  const limits = deploy?.resources?.limits;
  const same = (key: string, one: unknown, path: string, other: unknown) => {
    if (one !== undefined && other !== undefined && one !== other) {
      report([key], `${key} is ${one}, and ${path} is ${other}: they must say the same`, "take one of them out");
    }
  };
  same("scale", scale, "deploy.replicas", deploy?.replicas);
  same("mem_limit", service.mem_limit, "deploy.resources.limits.memory", limits?.memory);
  same(
    "mem_reservation",
    service.mem_reservation,
    "deploy.resources.reservations.memory",
    deploy?.resources?.reservations?.memory,
  );
  same("cpus", service.cpus, "deploy.resources.limits.cpus", limits?.cpus);
  same("pids_limit", service.pids_limit, "deploy.resources.limits.pids", limits?.pids);
  const count = scale ?? deploy?.replicas ?? 1;
  if (service.container_name !== undefined && count > 1) {
    report(["container_name"], `${count} containers cannot all have this name`, "take container_name out, or run one");
  }
  if (deploy?.mode?.startsWith("global") && (deploy.replicas !== undefined || scale !== undefined)) {
    report(["deploy"], `${deploy.mode} runs one task on each host; it takes no number of replicas`);
  }
}

function checkMounts({ volumes = [] }: ComposeService, report: Report): void {
  for (const [index, { type, source, tmpfs, bind, volume }] of volumes.entries()) {
    if ((type === "bind" || type === "image" || type === "npipe") && !source)
      report(["volumes", index], `a mount of type ${type} needs a source`);
    if (type === "tmpfs" && source) report(["volumes", index], "a mount of type tmpfs has no source");
    for (const [key, given] of Object.entries({ bind, volume, tmpfs })) {
      if (given !== undefined && type !== key && !(type === "cluster" && key === "volume")) {
        report(["volumes", index], `${key} is for mounts of type ${key}, not ${type}`);
      }
    }
  }
}

function checkPorts({ ports = [], expose = [] }: ComposeService, report: Report): void {
  for (const [index, { published }] of ports.entries()) {
    if (published && !parseRange(published, 0))
      report(["ports", index], `${published} is no port or range up to 65535`);
  }
  for (const [index, port] of expose.entries()) {
    if (!parseRange(port.split("/")[0]!)) report(["expose", index], `${port} is no port or range from 1 to 65535`);
  }
}

function checkDevices(service: ComposeService, report: Report): void {
  for (const [path, requests] of [
    [["deploy", "resources", "reservations", "devices"], service.deploy?.resources?.reservations?.devices],
    [["gpus"], service.gpus],
  ] as const) {
    for (const [index, { count, device_ids: ids }] of (requests ?? []).entries()) {
      if (count !== undefined && ids) report([...path, index], "count and device_ids exclude each other");
    }
  }
}

function checkWatch({ develop, build }: ComposeService, report: Report): void {
  for (const [index, { action, target, exec }] of (develop?.watch ?? []).entries()) {
    const path = ["develop", "watch", index];
    if (action.startsWith("sync") && target === undefined) report(path, `the action ${action} needs the key target`);
    if (action === "sync+exec" && !exec) report(path, "the action sync+exec needs the key exec");
    if (action === "rebuild" && !build) report(path, "the action rebuild needs build: in the service");
  }
}

function checkJob(service: ComposeService, report: Report): void {
  const schedule = service["x-berth"]?.schedule;
  const mode = service.deploy?.mode;
  const isJob = schedule !== undefined || (mode?.endsWith("-job") ?? false);
  if (schedule?.cron !== undefined) {
    const problem = cronProblem(schedule.cron);
    if (problem) report(["x-berth", "schedule", "cron"], `${JSON.stringify(schedule.cron)}: ${problem}`);
    const zone = schedule.time_zone;
    if (zone !== undefined && !isTimeZone(zone)) {
      report(
        ["x-berth", "schedule", "time_zone"],
        `${JSON.stringify(zone)} is no time zone`,
        "use a name such as Europe/Paris",
      );
    }
    if (mode === "replicated" || mode === "global") {
      report(["deploy", "mode"], `a scheduled service is a job; its mode cannot be ${mode}`, `say ${mode}-job`);
    }
  }
  if (!isJob) return;
  if (service.deploy?.update_config || service.deploy?.rollback_config) {
    report(["deploy"], "a job is not updated task by task: update_config and rollback_config do not apply");
  }
  if (service.deploy?.restart_policy?.condition === "any") {
    report(
      ["deploy", "restart_policy", "condition"],
      "a job ends; it cannot restart on any end",
      "say on-failure or none",
    );
  }
  if (service.restart === "always" || service.restart === "unless-stopped") {
    report(["restart"], `a job ends; it cannot restart ${service.restart}`, "say on-failure or no");
  }
}
