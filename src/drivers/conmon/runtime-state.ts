import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { RuntimeName } from "./runtime-program.ts";

/** What the runtime remembers of a container, in its own state directory. */
export interface RuntimeState {
  pid: number;
  /** In clock ticks since boot, as /proc/<pid>/stat has it: a pid that was given to another process has another. */
  startTime: number;
  cgroupPath: string;
  /** Made, and waiting for `start`. */
  waits: boolean;
}

/** Name of the pipe on which a made container waits; the same in runc and crun. */
export const startPipe = "exec.fifo";

/** Undefined where the runtime knows no such container. */
export function readRuntimeState(name: RuntimeName, root: string, id: string): RuntimeState | undefined {
  const directory = join(root, id);
  let text: string;
  try {
    text = readFileSync(join(directory, name === "runc" ? "state.json" : "status"), "utf8");
  } catch (thrown) {
    if (["ENOENT", "ENOTDIR"].includes((thrown as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw thrown;
  }
  const waits = existsSync(join(directory, startPipe));
  return { ...(name === "runc" ? parseRuncState(text) : parseCrunState(text)), waits };
}

/** state.json of runc (libcontainer's BaseState). */
export function parseRuncState(text: string): Omit<RuntimeState, "waits"> {
  const state = parse(text) as {
    init_process_pid: number;
    init_process_start: number;
    config: { cgroups: { path?: string; Path?: string } };
  };
  return {
    pid: state.init_process_pid,
    startTime: state.init_process_start,
    cgroupPath: state.config.cgroups.path ?? state.config.cgroups.Path ?? "",
  };
}

/** status of crun (libcrun's libcrun_container_status_t). */
export function parseCrunState(text: string): Omit<RuntimeState, "waits"> {
  const state = parse(text) as { pid: number; "process-start-time": number; "cgroup-path": string };
  return { pid: state.pid, startTime: state["process-start-time"], cgroupPath: state["cgroup-path"] };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new BerthError("corrupt", "the runtime's record of a container is not JSON", { cause: thrown });
  }
}

/** Whether that very process still runs: not ended, not a zombie, and not another one with the same number. */
export function isAlive({ pid, startTime }: Pick<RuntimeState, "pid" | "startTime">): boolean {
  if (pid <= 0) return false;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (thrown) {
    if (["ENOENT", "ESRCH"].includes((thrown as NodeJS.ErrnoException).code ?? "")) return false;
    throw thrown;
  }
  // The second field, the name, may hold anything: count from its closing parenthesis (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [status, start] = [fields[0], Number(fields[19])];
  return status !== "Z" && status !== "X" && start === startTime;
}
