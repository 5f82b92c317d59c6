/** How far the schedule of a service got; written by the schedule loop. */
export interface ScheduleState {
  /** The newest time that the schedule named and that was acted on, or skipped. */
  handledAt_ms: number;
  /** Runs made so far: names the next one. */
  runs: number;
  /** Why the last one was not run, e.g. the one before was not over. */
  skipped?: string;
}
