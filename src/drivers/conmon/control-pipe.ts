import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import { bundleFiles } from "./monitor-arguments.ts";

/** Kinds of message on conmon's control pipe (ctl.h): each is a line of three numbers. */
const RESIZE = 1;
const REOPEN_LOG = 2;

/** Tells the monitor that listens in `directory` the size of the terminal. Also before the container is started. */
export function tellSize(directory: string, rows: number, columns: number): void {
  tell(directory, RESIZE, clamp(rows), clamp(columns));
}

/** Tells it to close its log file and open one of the same name. */
export function tellReopenLog(directory: string): void {
  tell(directory, REOPEN_LOG, 0, 0);
}

function tell(directory: string, kind: number, first: number, second: number): void {
  const path = join(directory, bundleFiles.control);
  let fd: number;
  try {
    // Not blocking: a pipe that nobody reads would hold us for ever.
    fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    if (!["ENXIO", "ENOENT"].includes((thrown as NodeJS.ErrnoException).code ?? "")) throw thrown;
    throw new BerthError("conflict", `no monitor listens at ${path}`, {
      hint: "the container does not run, or its monitor was killed",
      cause: thrown,
    });
  }
  try {
    writeSync(fd, `${kind} ${first} ${second}\n`);
  } finally {
    closeSync(fd);
  }
}

/** The kernel has 16 bits for each. */
const clamp = (value: number) => Math.max(0, Math.min(0xffff, Math.trunc(value) || 0));
