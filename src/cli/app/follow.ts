import type { AppEvent } from "../../ports/apps.ts";
import type { CliContext } from "../context.ts";
import { AppDisplay } from "./display.ts";

/** Shows what happens until it is done; returns the last event. */
export async function follow(
  context: CliContext,
  events: AsyncIterable<AppEvent>,
  quiet = false,
): Promise<Extract<AppEvent, { type: "done" }> | undefined> {
  if (quiet) {
    for await (const event of events) if (event.type === "done") return event;
    return undefined;
  }
  using display = new AppDisplay(context);
  for await (const event of events) {
    if (event.type === "done") return event;
    display.show(event);
  }
  return undefined;
}
