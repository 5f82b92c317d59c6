import { BerthError } from "../../base/errors.ts";
import { hasEnded, wantedRank } from "../../model/task.ts";
import { endSentence, type SlotTask, slotSteps, slotsOf, stateOf } from "../../plan/slots.ts";
import type { WantedService } from "../../plan/wanted.ts";
import type { Why } from "../../ports/apps.ts";
import { blockersOf } from "../gate/conditions.ts";
import { decideRestart } from "../orchestrate/restart.ts";
import { slotNames } from "../orchestrate/slot-names.ts";
import { isUp } from "../rollout/slot-progress.ts";
import { type ClusterState, serviceKey } from "../state.ts";

/** Why a service is in the state that it is in. Pure: the same state gives the same answer. */
export function why(state: ClusterState, app: string, name: string, now_ms: number): Why {
  const wanted = state.wantedOf(app).get(name);
  const tasks = state.tasksOf(app, name);
  if (!wanted) {
    if (tasks.length > 0)
      return {
        service: name,
        state: "leaving",
        sentences: [`service ${name} is no longer wanted; its tasks are going`],
        tasks: lives(tasks),
      };
    throw new BerthError("not_found", `${app} has no service ${name}`, {
      hint: `it has ${[...state.wantedOf(app).keys()].join(", ") || "none"}`,
    });
  }
  const sentences = [...versionSentences(state, wanted), ...rolloutSentences(state, wanted)];
  let overall = wanted.state === "running" ? "running" : wanted.state;
  if (wanted.paused) overall = "paused";
  const steps = slotSteps(wanted, slotNames(state, wanted), slotsOf(tasks), state.specHashOf);
  for (const step of steps) {
    const [word, ...found] = slotSentences(state, wanted, step.task, step.cause, now_ms);
    if (word !== "running" && overall === "running") overall = word!;
    sentences.push(...found);
  }
  sentences.push(...scheduleSentences(state, wanted));
  return { service: name, state: overall, sentences, tasks: lives(tasks) };
}

function versionSentences(state: ClusterState, wanted: WantedService): string[] {
  const version = state.version(wanted.app, wanted.version);
  if (!version) return [];
  const message = version.message === "" ? "" : ` ("${version.message}")`;
  return [`${wanted.name} follows version ${version.number} of ${wanted.app}, by ${version.who}${message}`];
}

function rolloutSentences(state: ClusterState, wanted: WantedService): string[] {
  const rollout = state.rollouts.get(serviceKey(wanted.app, wanted.name));
  if (!rollout) return [];
  const changed = `${rollout.slots.length} of ${slotNames(state, wanted).length} slots changed`;
  const because = rollout.message === "" ? "" : `: ${rollout.message}`;
  switch (rollout.state) {
    case "updating":
      return [`its update to version ${rollout.version} is under way, ${changed}`];
    case "paused":
      return [`its update to version ${rollout.version} is paused, ${changed}${because}`];
    case "rolling-back":
      return [
        `its update to version ${rollout.version} failed and is being rolled back to version ${rollout.fromVersion}${because}`,
      ];
    case "rollback-paused":
      return [`its rollback to version ${rollout.fromVersion} is paused${because}`];
    case "rolled-back":
      return [
        `its update to version ${rollout.version} failed and was rolled back to version ${rollout.fromVersion}${because}`,
      ];
    case "completed":
      return [];
  }
}

/** A word for the slot's state, then sentences. */
function slotSentences(
  state: ClusterState,
  wanted: WantedService,
  entry: SlotTask | undefined,
  cause: string,
  now_ms: number,
): string[] {
  if (!entry) return ["waiting", cause];
  const { task, status } = entry;
  const name = `${task.service}-${task.number}`;
  const current = stateOf(entry);
  if (task.host === undefined && task.refusals)
    return ["unplaced", `${name} fits on no host: ${task.refusals.join("; ")}`];
  if (task.wanted === "ready" && !hasEnded(current)) {
    const reasons = blockersOf(state, task, now_ms).map(({ sentence }) => sentence);
    const detail = reasons.length > 0 ? reasons.join("; ") : status?.message || "is being prepared";
    return ["waiting", `${name} is ${current}: ${detail}`];
  }
  if (hasEnded(current)) {
    const end = `${name} does not run: ${endSentence(entry)}`;
    if (wanted.state !== "running" || wantedRank(task.wanted) >= wantedRank("shutdown"))
      return ["stopped", `${end} (${task.wantedCause})`];
    const decision = status && decideRestart(wanted.service, task, status);
    const next = decision?.restart
      ? `it restarts at ${new Date(decision.at_ms).toISOString()}`
      : (decision?.reason ?? "");
    return [current === "complete" ? "complete" : "failed", `${end}; ${next}`];
  }
  const since = status?.life.findLast(moment => moment.state === current);
  const at = since ? ` since ${new Date(since.at_ms).toISOString()}` : "";
  const restarts =
    task.restarts.length > 0
      ? `; it was restarted ${task.restarts.length} times in a row, last because ${task.cause}`
      : "";
  if (current === "running" && !isUp(entry)) {
    const probe = status?.health?.probe;
    const output = probe
      ? `: its last probe ended with ${probe.exitCode}, ${JSON.stringify(probe.output.trim().slice(0, 300))}`
      : "";
    return [status?.health?.status ?? "running", `${name} runs and is ${status?.health?.status}${output}${restarts}`];
  }
  const doing = status?.message ? ` (${status.message})` : "";
  return [current, `${name} is ${current}${at}${doing}, because ${task.cause}${restarts}`];
}

function scheduleSentences(state: ClusterState, wanted: WantedService): string[] {
  const { schedule } = wanted.service;
  if (!schedule) return [];
  const known = state.schedules.get(serviceKey(wanted.app, wanted.name));
  const sentences = [
    `it runs by the schedule "${schedule.cron}" (${schedule.timeZone}); ${known?.runs ?? 0} runs so far`,
  ];
  if (schedule.suspended) sentences.push("its schedule is suspended");
  if (known?.skipped !== undefined) sentences.push(known.skipped);
  return sentences;
}

function lives(tasks: readonly SlotTask[]): Why["tasks"] {
  return tasks
    .toSorted((a, b) => b.task.createdAt_ms - a.task.createdAt_ms)
    .map(({ task, status }) => ({
      name: `${task.service}-${task.number}`,
      task: task.id,
      life: status?.life ?? [],
      cause: task.cause,
    }));
}
