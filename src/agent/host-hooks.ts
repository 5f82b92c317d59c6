import { BerthError } from "../base/errors.ts";
import type { HostHook } from "../model/service.ts";
import type { Task } from "../model/task.ts";
import type { AgentContext } from "./context.ts";

/** Runs commands on the host, one after the other, each told which task it is for. The first that fails ends it. */
export async function runHostHooks(
  { hostHooks, signal: life }: AgentContext,
  hooks: HostHook[],
  task: Task,
  container: string,
  signal: AbortSignal = life,
): Promise<void> {
  if (hooks.length === 0) return;
  // An app that was accepted while they were allowed.
  if (!hostHooks) {
    throw new BerthError("forbidden", `service ${task.service}: host hooks are off on this host`, {
      hint: "start berthd with --allow-host-hooks to let apps run commands on the host",
    });
  }
  const environment = {
    BERTH_APP: task.app,
    BERTH_SERVICE: task.service,
    BERTH_TASK: task.id,
    BERTH_NUMBER: String(task.number),
    BERTH_CONTAINER: container,
  };
  for (const hook of hooks) await hostHooks.run(hook, environment, { signal });
}
