import { constants } from "node:os";
import { BerthError } from "../base/errors.ts";

const numbers = new Map(Object.entries(constants.signals));
const names = new Map([...numbers].map(([name, number]) => [number, name]));
/** glibc keeps 32 and 33 for itself, so the first real-time signal that programs see is 34. */
const firstRealTime = 34;
const lastRealTime = 64;

/** "TERM", "SIGTERM", "15", "RTMIN+3" -> 15, …; throws `invalid`. */
export function signalNumber(signal: string): number {
  if (/^\d+$/.test(signal)) {
    const number = Number(signal);
    if (number >= 1 && number <= lastRealTime) return number;
  }
  const bare = signal.toUpperCase().replace(/^SIG/, "");
  const known = numbers.get(`SIG${bare}`);
  if (known !== undefined) return known;
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(bare);
  if (realTime) {
    const offset = Number(realTime[3] ?? 0) * (realTime[2] === "-" ? -1 : 1);
    const number = (realTime[1] === "MIN" ? firstRealTime : lastRealTime) + offset;
    if (number >= firstRealTime && number <= lastRealTime) return number;
  }
  throw new BerthError("invalid", `signal ${JSON.stringify(signal)} is not known`, {
    hint: "give a name as TERM or SIGTERM, RTMIN+n, or a number from 1 to 64",
  });
}

/** As events and `stop-signal` show it: SIGTERM, SIGRTMIN+3. */
export function signalName(number: number): string {
  return names.get(number) ?? (number >= firstRealTime ? `SIGRTMIN+${number - firstRealTime}` : String(number));
}
