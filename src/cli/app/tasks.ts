import { BerthError } from "../../base/errors.ts";
import type { TaskView } from "../../ports/apps.ts";
import type { CliContext } from "../context.ts";
import type { AppFlags } from "./flags.ts";
import { selectedName } from "./selection.ts";

/** A task that has a container. */
export type MadeTask = TaskView & { containerId: string };

/** The tasks with a container of the app that is meant; of these services where any are named. */
export async function madeTasks(
  context: CliContext,
  flags: AppFlags,
  services: string[] = [],
  { all = false } = {},
): Promise<MadeTask[]> {
  const name = await selectedName(context, flags);
  const options = { services: services.length > 0 ? services : undefined, all, signal: context.signal };
  const tasks = await (await context.backend("apps")).ps(name, options);
  return tasks.filter((task): task is MadeTask => task.containerId !== undefined);
}

/** The running task of a service with this number; without one, the first. Throws `not_found` with the numbers that there are. */
export async function oneTask(
  context: CliContext,
  flags: AppFlags,
  service: string,
  index: string | undefined,
): Promise<MadeTask> {
  const running = (await madeTasks(context, flags, [service])).filter(({ state }) => state === "running");
  const found = index === undefined ? running[0] : running.find(({ number }) => number === Number(index));
  if (found) return found;
  throw new BerthError(
    "not_found",
    index === undefined ? `no task of ${service} is running` : `task ${index} of ${service} is not running`,
    {
      hint:
        running.length > 0
          ? `--index takes ${running.map(({ number }) => number).join(", ")}`
          : `'${context.program} why ${service}' says why`,
    },
  );
}
