import { readFileSync } from "node:fs";

/** proc(5): /proc/<pid>/stat. Undefined when there is no such process; a zombie has ended and counts as none. */
export function processStart(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The second field, the command in parentheses, may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/** Whether the very process that `start` was taken from still runs. */
export function isSameProcess(pid: number, start: string): boolean {
  return pid > 0 && processStart(pid) === start;
}

export function currentBootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
