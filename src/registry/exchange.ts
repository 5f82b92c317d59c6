import type { IncomingMessage, ServerResponse } from "node:http";

/** One request and what belongs to it. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  /** Aborted when the client leaves. */
  signal: AbortSignal;
  /** Whether the caller may read another repository: a blob is mounted only from one that it could pull from. */
  mayPull: (repository: string) => boolean;
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
