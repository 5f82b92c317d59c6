import { BerthError } from "../../base/errors.ts";
import type { EngineEvent } from "../../model/event.ts";
import type { Filters } from "../../ports/engine.ts";
import { matchesLabels } from "../filters/labels.ts";

type Test = (event: EngineEvent, value: string) => boolean;

const isActor = (event: EngineEvent, type: string, value: string) =>
  event.type === type && (event.id.startsWith(value) || event.attributes["name"] === value);

/** Docker's filters of GET /events. */
const tests: Record<string, Test> = {
  type: (event, value) => event.type === value,
  // "exec_start" also finds "exec_start: sh -c …", and "health_status" its result.
  event: (event, value) => event.action === value || event.action.startsWith(`${value}:`),
  action: (event, value) => event.action === value || event.action.startsWith(`${value}:`),
  container: (event, value) => isActor(event, "container", value) || event.attributes["container"] === value,
  image: (event, value) =>
    isActor(event, "image", value) || [event.attributes["image"], stripTag(event)].includes(value),
  network: (event, value) => isActor(event, "network", value),
  volume: (event, value) => isActor(event, "volume", value),
  daemon: (event, value) => isActor(event, "daemon", value),
  scope: (_, value) => value === "local",
};

function stripTag(event: EngineEvent): string | undefined {
  return (event.attributes["image"] ?? event.attributes["name"])?.replace(/:[^/:]*$/, "");
}

/** Any of a key's values, all of the keys. Throws `invalid` on a key that there is not. */
export function matchesEvent(event: EngineEvent, filters: Filters = {}): boolean {
  return Object.entries(filters).every(([key, values]) => {
    if (values.length === 0) return true;
    if (key === "label") return matchesLabels(event.attributes, values);
    const test = tests[key];
    if (test === undefined) {
      throw new BerthError("invalid", `events have no filter ${JSON.stringify(key)}`, {
        hint: `use one of ${Object.keys(tests).join(", ")}, label`,
      });
    }
    return values.some(value => test(event, value));
  });
}
