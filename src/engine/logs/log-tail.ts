import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { parseLogLine } from "./log-line.ts";

const block_bytes = 64 * 1024;

export interface LogPosition {
  /** 0 is the present file, n is name.n. */
  age: number;
  offset: number;
}

interface Wanted {
  stdout: boolean;
  stderr: boolean;
}

/** How many rotated files there are (name.1 … name.n). */
export function oldestAge(path: string): number {
  for (let age = 1; ; age++) {
    const fd = tryOpen(`${path}.${age}`);
    if (fd === undefined) return age - 1;
    closeSync(fd);
  }
}

/** Where the last `lines` whole lines begin, found from the end, so that its cost does not depend on the log's size. */
export function positionOfTail(path: string, lines: number, wanted: Wanted): LogPosition {
  const oldest = oldestAge(path);
  let left = lines;
  // What stands after the last newline (a prompt) is output too, and is not counted as a line.
  for (let age = 0; age <= oldest; age++) {
    const fd = tryOpen(age === 0 ? path : `${path}.${age}`);
    if (fd === undefined) continue;
    try {
      const found = scanBack(fd, left, wanted);
      if (found.offset !== undefined) return { age, offset: found.offset };
      left = found.left;
    } finally {
      closeSync(fd);
    }
  }
  return { age: oldest, offset: 0 };
}

/** Counts ends of whole lines backwards; the wanted position is right after the one too many. */
function scanBack(fd: number, lines: number, wanted: Wanted): { offset?: number; left: number } {
  let left = lines;
  let end = fstatSync(fd).size;
  let tail: Buffer = Buffer.alloc(0);
  while (end > 0) {
    const start = Math.max(0, end - block_bytes);
    const block = Buffer.allocUnsafe(end - start);
    readSync(fd, block, 0, block.length, start);
    let data = Buffer.concat([block, tail]);
    while (data.length > 0) {
      const lastEnd = data[data.length - 1] === 10 ? data.length - 1 : data.length;
      const lineStart = data.lastIndexOf(10, lastEnd - 1) + 1;
      if (lineStart === 0 && start > 0) break;
      if (endsWantedLine(data.subarray(lineStart, lastEnd), wanted)) {
        if (left === 0) return { offset: start + data.length, left };
        left--;
      }
      data = data.subarray(0, lineStart);
    }
    tail = data;
    end = start;
  }
  return { left };
}

function endsWantedLine(line: Buffer, wanted: Wanted): boolean {
  const record = parseLogLine(line);
  return record !== undefined && wanted[record.stream] && record.data.at(-1) === 10;
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}
