import { constants } from "node:os";
import { BerthError } from "../../base/errors.ts";

/** The first and the last realtime signal for programs, in the numbering of glibc; signal(7). */
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** Signal number of "SIGTERM", "TERM", "15" or "RTMIN+3". Throws `invalid`. */
export function signalNumber(name: string): number {
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    if (number >= 1 && number <= SIGRTMAX) return number;
  }
  const bare = name.toUpperCase().replace(/^SIG/, "");
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(bare);
  if (realtime) {
    const offset = Number(`${realtime[2] ?? "+"}${realtime[3] ?? 0}`);
    const number = (realtime[1] === "MIN" ? SIGRTMIN : SIGRTMAX) + offset;
    if (number >= SIGRTMIN && number <= SIGRTMAX) return number;
  }
  const number = (constants.signals as Record<string, number | undefined>)[`SIG${bare}`];
  if (number !== undefined) return number;
  throw new BerthError("invalid", `there is no signal '${name}'`, { hint: "e.g. TERM, SIGHUP or 9" });
}

/** Sends it; false where the process is gone. */
export function signalProcess(pid: number, signal: string): boolean {
  try {
    process.kill(pid, signalNumber(signal));
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw thrown;
  }
}
