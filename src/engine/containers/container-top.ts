import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { cgroupPath } from "../start/runtime-spec.ts";
import { columns, type ProcessFacts, readProcess } from "./process-table.ts";

/** `ps -ef`, what Docker shows when nothing is asked. */
const fullFormat = ["user", "pid", "ppid", "c", "stime", "tty", "time", "cmd"];
/** `ps aux` */
const userFormat = ["user", "pid", "%cpu", "%mem", "vsz", "rss", "tty", "stat", "start", "time", "command"];

/** The container's processes as the host sees them. `psArguments` as ps(1) takes them: -ef, aux, or -o with a list of columns. */
export async function containerTop(
  context: EngineContext,
  reference: string,
  psArguments: string[],
  { signal }: CallOptions,
): Promise<{ titles: string[]; processes: string[][] }> {
  const id = context.store.find(reference);
  const config = context.store.config(id);
  if (!isRunning(look(context, id))) {
    throw new BerthError("conflict", `container ${config.name} is not running`, {
      hint: `start it first: berth start ${config.name}`,
    });
  }
  const shown = chooseColumns(psArguments);
  const pids = await context.cgroups.processes(cgroupPath(context, config));
  signal?.throwIfAborted();
  const now_ms = context.clock.now_ms();
  const facts = pids.map(pid => readProcess(pid, now_ms)).filter((found): found is ProcessFacts => found !== undefined);
  return {
    titles: shown.map(name => columns[name]!.title),
    processes: facts.map(process => shown.map(name => columns[name]!.value(process))),
  };
}

function chooseColumns(psArguments: string[]): string[] {
  const text = psArguments.join(" ").trim();
  if (text === "" || /^-?e?f$|^-ef$|^-fe$/.test(text)) return fullFormat;
  if (/^-?a?u?x?$/.test(text)) return userFormat;
  const listed = /^(?:-?[eaxA]+\s+)?-?[eaxA]*o[\s=]?(.+)$/.exec(text)?.[1];
  const names = listed?.split(/[\s,]+(?:-?o\s*)?/).filter(Boolean) ?? [];
  const unknown = names.find(name => !(name in columns));
  if (names.length > 0 && unknown === undefined) return names;
  throw new BerthError(
    "invalid",
    `top does not know ${unknown ? `the column ${unknown}` : `the ps arguments ${text}`}`,
    {
      hint: `use -ef, aux, or -o with some of ${Object.keys(columns).join(",")}`,
    },
  );
}
