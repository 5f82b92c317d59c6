/** What happened on a host, in Docker's words, so that one event serves every client. */
export type EventType = "container" | "image" | "network" | "volume" | "daemon" | "builder";

export interface EngineEvent {
  type: EventType;
  /** create, start, die, destroy, exec_start: /bin/sh …, pull, tag, connect … */
  action: string;
  /** Id of the actor. */
  id: string;
  attributes: Record<string, string>;
  time_ms: number;
}
