import { readFileSync, statSync } from "node:fs";
import { totalmem } from "node:os";

/** Clock ticks a second in /proc; fixed at 100 for every architecture that Node runs on (USER_HZ). */
const ticks_hz = 100;
const page_bytes = 4096;

export interface ProcessFacts {
  pid: number;
  ppid: number;
  uid: number;
  state: string;
  tty: string;
  cpu_s: number;
  started_ms: number;
  /** Since start. */
  cpuShare: number;
  virtual_bytes: number;
  resident_bytes: number;
  threads: number;
  nice: number;
  name: string;
  command: string;
}

/** proc(5): stat and cmdline. Undefined when the process has ended. */
export function readProcess(pid: number, now_ms: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").replace(/\0+$/, "").replaceAll("\0", " ");
    const uptime_s = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
    const close = stat.lastIndexOf(")");
    const name = stat.slice(stat.indexOf("(") + 1, close);
    const field = stat.slice(close + 2).split(" ");
    // Numbered as in proc(5), where the state is field 3.
    const number = (position: number) => Number(field[position - 3]);
    const age_s = Math.max(0, uptime_s - number(22) / ticks_hz);
    const cpu_s = (number(14) + number(15)) / ticks_hz;
    return {
      pid,
      ppid: number(4),
      uid: statSync(`/proc/${pid}`).uid,
      state: field[0] ?? "?",
      tty: terminalName(number(7)),
      cpu_s,
      started_ms: now_ms - age_s * 1000,
      cpuShare: age_s > 0 ? (100 * cpu_s) / age_s : 0,
      virtual_bytes: number(23),
      resident_bytes: number(24) * page_bytes,
      threads: number(20),
      nice: number(19),
      name,
      command: commandLine || `[${name}]`,
    };
  } catch {
    return undefined;
  }
}

/** tty_nr holds major and minor; 136 and following are pseudo-terminals. */
function terminalName(device: number): string {
  const [major, minor] = [(device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00)];
  if (device === 0) return "?";
  return major >= 136 && major <= 143 ? `pts/${minor + (major - 136) * 256}` : `tty${minor}`;
}

const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
const clock = (seconds: number) => `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
const startTime = (process: ProcessFacts) => {
  const date = new Date(process.started_ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
};

let users: Map<number, string> | undefined;

/** Names of the host's users, as ps shows them. */
function userName(uid: number): string {
  users ??= new Map(
    readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map(line => line.split(":"))
      .map(fields => [Number(fields[2]), fields[0] ?? ""] as const),
  );
  return users.get(uid) ?? String(uid);
}

interface Column {
  title: string;
  value: (process: ProcessFacts) => string;
}

const user: Column = { title: "UID", value: process => userName(process.uid) };
const command: Column = { title: "CMD", value: process => process.command };

/** Columns by the names that `ps -o` gives them. */
export const columns: Record<string, Column> = {
  user,
  uid: { title: "UID", value: process => String(process.uid) },
  pid: { title: "PID", value: process => String(process.pid) },
  ppid: { title: "PPID", value: process => String(process.ppid) },
  c: { title: "C", value: process => String(Math.floor(process.cpuShare)) },
  "%cpu": { title: "%CPU", value: process => process.cpuShare.toFixed(1) },
  pcpu: { title: "%CPU", value: process => process.cpuShare.toFixed(1) },
  "%mem": { title: "%MEM", value: process => ((100 * process.resident_bytes) / totalmem()).toFixed(1) },
  pmem: { title: "%MEM", value: process => ((100 * process.resident_bytes) / totalmem()).toFixed(1) },
  vsz: { title: "VSZ", value: process => String(Math.floor(process.virtual_bytes / 1024)) },
  rss: { title: "RSS", value: process => String(Math.floor(process.resident_bytes / 1024)) },
  stime: { title: "STIME", value: startTime },
  start: { title: "START", value: startTime },
  tty: { title: "TTY", value: process => process.tty },
  stat: { title: "STAT", value: process => process.state },
  s: { title: "S", value: process => process.state },
  time: { title: "TIME", value: process => clock(process.cpu_s) },
  nlwp: { title: "NLWP", value: process => String(process.threads) },
  ni: { title: "NI", value: process => String(process.nice) },
  comm: { title: "COMMAND", value: process => process.name },
  cmd: command,
  args: { title: "COMMAND", value: process => process.command },
  command: { title: "COMMAND", value: process => process.command },
};
