import type { CallOptions } from "./content.ts";

export interface LockOptions extends CallOptions {
  /** Many shared holders, or one exclusive. Default exclusive. */
  shared?: boolean;
  /** Give up after so long with `timeout`; 0 tries once. Absent waits until the signal. */
  timeout_ms?: number;
}

export interface Lock extends AsyncDisposable {
  /** Open descriptor that carries the lock: handed to a child, the lock lives as long as that child keeps it. */
  readonly fd: number;
}

/**
 * Locks on files that the kernel drops when the last process that holds the descriptor ends: no lock survives a crash and none is left over.
 * The file is made if missing, and never removed by the lock (removing a locked file would let two in).
 */
export interface Locks {
  acquire(path: string, options?: LockOptions): Promise<Lock>;
  /** Undefined at once when somebody holds it in a conflicting way. */
  tryAcquire(path: string, options?: { shared?: boolean }): Lock | undefined;
  /** Whether anybody holds it exclusively now. */
  isHeld(path: string): boolean;
}
