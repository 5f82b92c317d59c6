import type { DockerContext } from "../docker-context.ts";
import type { Exchange } from "./exchange.ts";

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "DELETE";

/**
 * One operation of Docker's API. The tables of these are all there is: the router, docs/docker-api.md and the published OpenAPI document are made from them.
 */
export interface Operation {
  /** Docker's operationId. */
  id: string;
  method: Method;
  /** As in Docker's specification, without version: "/containers/{id}/json". A `{name}` of an image may hold slashes. */
  path: string;
  summary: string;
  /** Absent: served whole. Refused: Berth does not do this; later: it will. Both answer with an error that says so. */
  status?: "refused" | "later";
  /** Why it is refused, or what is different from Docker. */
  note?: string;
  /** Served, but not among the operations of Docker's specification. */
  extra?: boolean;
  /** Query parameters that are read. */
  query?: string[];
  handle: (docker: DockerContext, exchange: Exchange) => Promise<void> | void;
}

/** Operations of one tag of Docker's specification. */
export interface OperationGroup {
  tag: string;
  operations: Operation[];
}
