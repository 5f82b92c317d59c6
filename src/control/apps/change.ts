import { BerthError } from "../../base/errors.ts";
import type { AppRecord, ServiceWish } from "../../model/app-record.ts";
import type { ControlPlane } from "../control-plane.ts";
import { keys } from "../keys.ts";

/** The record of a running app. Throws `not_found` with the apps that there are. */
export function recordOf(control: ControlPlane, name: string): AppRecord {
  const { state } = control.mirror;
  const record = state.apps.get(name);
  if (record && (record.wanted === "present" || Object.keys(record.services).length > 0)) return record;
  const known = [...state.apps.values()].filter(({ wanted }) => wanted === "present").map(app => app.name);
  throw new BerthError("not_found", `there is no app ${name}`, {
    hint: known.length === 0 ? "start one with 'berth up'" : `there is ${known.sort().join(", ")}`,
  });
}

/** Names of services of the record: those given, or all. */
export function servicesOf(record: AppRecord, given: string[] | undefined): string[] {
  const missing = given?.find(name => !record.services[name]);
  if (missing !== undefined) {
    throw new BerthError("not_found", `${record.name} has no running service ${missing}`, {
      hint: `it has ${Object.keys(record.services).sort().join(", ") || "none"}`,
    });
  }
  return given?.length ? given : Object.keys(record.services);
}

/** Changes an app's record, again where somebody else was quicker, and waits until it is in the state. */
export async function changeRecord(
  control: ControlPlane,
  name: string,
  change: (record: AppRecord) => AppRecord,
  signal?: AbortSignal,
): Promise<AppRecord> {
  const { store, clock } = control.parts;
  for (;;) {
    const { state } = control.mirror;
    const key = keys.app(name);
    const next = { ...change(recordOf(control, name)), changedAt_ms: clock.now_ms() };
    const { committed, revision } = await store.commit(
      {
        compare: [{ key, modRevision: state.revisionOf(key) }],
        operations: [{ type: "put", key, value: JSON.stringify(next) }],
      },
      { signal },
    );
    await control.mirror.reached(revision, signal);
    if (committed) return next;
  }
}

/** Changes what is wanted of some services. */
export function changeWishes(
  record: AppRecord,
  names: string[],
  change: (wish: ServiceWish) => ServiceWish,
): AppRecord {
  const services = { ...record.services };
  for (const name of names) services[name] = change(services[name]!);
  return { ...record, services };
}
