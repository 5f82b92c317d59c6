import type { TaskView } from "../../ports/apps.ts";
import type { CliContext } from "../context.ts";

export interface AppLogOptions {
  follow?: boolean;
  tail?: number;
  since_ms?: number;
  until_ms?: number;
  timestamps?: boolean;
  color?: boolean;
  prefix?: boolean;
}

const colors = [36, 33, 32, 35, 34, 31, 96, 93, 92, 95];

/** The logs of an app's tasks, interleaved as they come, each line under its task's name. Tasks that come while following are followed too. */
export async function showLogs(
  context: CliContext,
  app: string,
  services: string[],
  options: AppLogOptions,
): Promise<void> {
  const apps = await context.backend("apps");
  const tasks = (
    await apps.ps(app, { services: services.length > 0 ? services : undefined, all: !options.follow })
  ).filter(task => task.containerId !== undefined);
  const printer = new LinePrinter(context, options);
  const following = new Map<string, Promise<void>>();
  const add = (task: TaskView, fromStart: boolean) => {
    const id = task.containerId;
    if (id === undefined || following.has(id)) return;
    following.set(id, followTask(context, task, printer, fromStart ? { ...options, tail: undefined } : options));
  };
  printer.reserve(tasks.map(task => task.name));
  for (const task of tasks) add(task, false);
  if (options.follow) {
    for await (const event of apps.events(app, { signal: context.signal })) {
      if (event.type === "task" && (services.length === 0 || services.includes(event.service))) add(event, true);
    }
  }
  await Promise.all(following.values());
}

async function followTask(
  context: CliContext,
  task: TaskView,
  printer: LinePrinter,
  options: AppLogOptions,
): Promise<void> {
  const engine = await context.engine();
  let open = "";
  try {
    for await (const record of engine.containers.logs(task.containerId!, {
      ...options,
      stdout: true,
      stderr: true,
      signal: context.signal,
    })) {
      open += record.data.toString("utf8");
      const lines = open.split("\n");
      open = lines.pop() ?? "";
      for (const line of lines) printer.print(task, options.timestamps ? `${record.time} ${line}` : line);
    }
  } catch (thrown) {
    // Removed while it was followed: there is no more to show.
    if ((thrown as { code?: string }).code !== "not_found") throw thrown;
  }
  if (open !== "") printer.print(task, open);
}

class LinePrinter {
  readonly #context: Pick<CliContext, "stdout">;
  readonly #color: boolean;
  readonly #prefix: boolean;
  readonly #order: string[] = [];
  #width = 0;

  constructor(context: Pick<CliContext, "stdout">, { color, prefix = true }: AppLogOptions) {
    this.#context = context;
    this.#color = color ?? context.stdout.isTTY === true;
    this.#prefix = prefix;
  }

  reserve(names: string[]): void {
    this.#width = Math.max(this.#width, ...names.map(name => name.length));
  }

  print(task: TaskView, line: string): void {
    if (!this.#prefix) return void this.#context.stdout.write(`${line}\n`);
    this.reserve([task.name]);
    let index = this.#order.indexOf(task.service);
    if (index < 0) index = this.#order.push(task.service) - 1;
    const name = `${task.name.padEnd(this.#width)} |`;
    this.#context.stdout.write(
      this.#color ? `\x1b[${colors[index % colors.length]}m${name}\x1b[0m ${line}\n` : `${name} ${line}\n`,
    );
  }
}
