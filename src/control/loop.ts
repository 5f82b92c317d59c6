import type { ClusterState, StateChange } from "./state.ts";

/** One key to write. The runner compares `revision`, so that a loop that decided on old news changes nothing. */
export interface Write {
  key: string;
  /** Undefined deletes. */
  value: unknown;
  /** modRevision that the key had when this was decided. */
  revision: number;
}

export interface TickResult {
  /** Each inner list is committed whole or not at all; order between them does not matter. */
  writes: Write[][];
  /** Mark the key dirty again then. */
  wakes: { key: string; at_ms: number }[];
}

export interface TickInput {
  state: ClusterState;
  now_ms: number;
  newId: () => string;
  random: () => number;
}

/**
 * A control loop decides about one kind of thing. It is a pure function: what it wants done, it returns. Loops know of each other only through the store.
 * `key` names the piece of work, e.g. "shop/web".
 */
export interface Loop {
  name: string;
  /** Keys that a change concerns. */
  concerns(change: StateChange, state: ClusterState): Iterable<string>;
  /** All keys: after a start nothing is known of what happened before. */
  all(state: ClusterState): Iterable<string>;
  tick(key: string, input: TickInput): TickResult;
}

export const nothing: TickResult = { writes: [], wakes: [] };

export function put(state: ClusterState, key: string, value: unknown): Write {
  return { key, value, revision: state.revisionOf(key) };
}

export function remove(state: ClusterState, key: string): Write {
  return { key, value: undefined, revision: state.revisionOf(key) };
}
