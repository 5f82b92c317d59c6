import type { Task } from "../../model/task.ts";
import type { SlotTask } from "../../plan/slots.ts";
import type { WantedService } from "../../plan/wanted.ts";
import type { TickInput } from "../loop.ts";

export interface NewTaskOptions {
  slot: string;
  cause: string;
  /** The task whose place it takes. */
  before?: SlotTask;
  /** Start the container of `before` again. */
  sameContainer?: boolean;
  notBefore_ms?: number;
  /** It follows a task that ended by itself. */
  restart?: boolean;
  number?: number;
  scheduledAt_ms?: number;
}

const longestRestarts = 64;

/** A task for the slot as the service is wanted now; held at the gate until its turn. */
export function newTask(input: TickInput, wanted: WantedService, options: NewTaskOptions): Task {
  const { before, slot } = options;
  const container = options.sameContainer ? containerOf(before) : undefined;
  const restarts = before && options.restart ? [...before.task.restarts, input.now_ms].slice(-longestRestarts) : [];
  const others = input.state.tasksOf(wanted.app, wanted.name);
  const sequence = 1 + Math.max(0, ...others.filter(({ task }) => task.slot === slot).map(({ task }) => task.sequence));
  return {
    id: input.newId(),
    app: wanted.app,
    service: wanted.name,
    slot,
    number: options.number ?? before?.task.number ?? numberOf(slot, others),
    version: wanted.version,
    generation: wanted.generation,
    shared: wanted.shared,
    ...(wanted.imageId === undefined ? {} : { imageId: wanted.imageId }),
    sequence,
    starts: wanted.starts,
    forced: wanted.forced,
    createdAt_ms: input.now_ms,
    cause: options.cause,
    wanted: "ready",
    wantedCause: "waits for its turn",
    wantedAt_ms: input.now_ms,
    ...(container === undefined ? {} : { container }),
    // A container is where its host is.
    ...(container !== undefined && before ? { host: before.task.host } : {}),
    ...(container === undefined && before ? { inherits: containerOf(before) } : {}),
    ...(options.notBefore_ms === undefined ? {} : { notBefore_ms: options.notBefore_ms }),
    restarts,
    ...(wanted.paused ? { paused: true } : {}),
    ...(options.scheduledAt_ms === undefined ? {} : { scheduledAt_ms: options.scheduledAt_ms }),
  };
}

function containerOf(before: SlotTask | undefined): string | undefined {
  return before?.status?.state === "removed" ? undefined : before?.status?.containerId;
}

/** Replica numbers are their slots; other slots get the lowest number that is free. */
function numberOf(slot: string, others: readonly SlotTask[]): number {
  if (/^\d{1,9}$/.test(slot)) return Number(slot);
  const taken = new Set(others.filter(({ task }) => task.slot !== slot).map(({ task }) => task.number));
  let number = 1;
  while (taken.has(number)) number++;
  return number;
}
