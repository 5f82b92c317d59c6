import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { decodeValue, encodeValue } from "../api/values.ts";
import { BerthError, type ErrorBody } from "../base/errors.ts";

export interface Upgraded {
  result: unknown;
  socket: Socket;
  head: Buffer;
}

export interface SendOptions {
  signal?: AbortSignal;
  /** Streamed as the body; the arguments then travel in a header. */
  body?: Readable;
}

/** Requests to one berthd over its unix socket, on connections that are kept. */
export class HttpTransport implements Disposable {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** The answer with its body unread. Throws what the server said, as a BerthError. */
  async send(noun: string, verb: string, args: unknown[], options: SendOptions = {}): Promise<IncomingMessage> {
    const text = encodeValue({ args });
    const headers: Record<string, string | number> = options.body
      ? { "Berth-Args": Buffer.from(text).toString("base64url"), "Content-Type": "application/octet-stream" }
      : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) };
    const request = this.#request(noun, verb, headers, options.signal);
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      request.once("response", resolve);
      request.once("error", cause => reject(this.#unreachable(cause, options.signal)));
    });
    if (options.body) options.body.pipe(request);
    else request.end(text);
    const response = await answer;
    if (response.statusCode === 200) return response;
    throw parseError(await readAll(response), `${noun}.${verb} failed with HTTP status ${response.statusCode}`);
  }

  async upgrade(
    noun: string,
    verb: string,
    args: unknown[],
    options: { signal?: AbortSignal } = {},
  ): Promise<Upgraded> {
    const request = this.#request(
      noun,
      verb,
      {
        Connection: "Upgrade",
        Upgrade: "berth-session",
        "Berth-Args": Buffer.from(encodeValue({ args })).toString("base64url"),
      },
      options.signal,
    );
    return await new Promise<Upgraded>((resolve, reject) => {
      request.once("upgrade", (response, socket, head) =>
        resolve({
          result: JSON.parse(String(response.headers["berth-result"] ?? "null")),
          socket: socket as Socket,
          head,
        }),
      );
      request.once("response", response => {
        readAll(response).then(text => reject(parseError(text, `${noun}.${verb} was not upgraded`)), reject);
      });
      request.once("error", cause => reject(this.#unreachable(cause, options.signal)));
      request.end();
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #request(
    noun: string,
    verb: string,
    headers: Record<string, string | number>,
    signal: AbortSignal | undefined,
  ): ClientRequest {
    return httpRequest({
      socketPath: this.#socketPath,
      agent: this.#agent,
      method: "POST",
      path: `/v1/${noun}/${verb}`,
      headers,
      signal,
    });
  }

  #unreachable(cause: Error, signal: AbortSignal | undefined): BerthError {
    if (signal?.aborted) return new BerthError("cancelled", "cancelled", { cause });
    return new BerthError("unavailable", `talking to berthd at ${this.#socketPath} failed: ${cause.message}`, {
      cause,
      hint: "your containers keep running; the next command starts berthd again",
    });
  }
}

/** NDJSON lines of an answer, decoded; throws the error that a line carries. */
export async function* readLines(response: IncomingMessage): AsyncGenerator<Record<string, unknown>> {
  try {
    for await (const line of splitLines(response)) {
      const value = decodeValue(line) as Record<string, unknown>;
      if (value["error"] !== undefined) throw BerthError.fromJSON(value["error"] as ErrorBody);
      yield value;
    }
    if (!response.complete)
      throw new BerthError("unavailable", "berthd ended the connection in the middle of an answer");
  } finally {
    if (!response.complete) response.destroy();
  }
}

/** Not node:readline: that costs a command 2 ms at its start. */
async function* splitLines(response: IncomingMessage): AsyncGenerator<string> {
  let open = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
    const lines = (open + chunk).split("\n");
    open = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield line;
  }
  if (open !== "") yield open;
}

export async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function parseError(text: string, otherwise: string): BerthError {
  try {
    return BerthError.fromJSON((JSON.parse(text) as { error: ErrorBody }).error);
  } catch {
    return new BerthError("internal", otherwise);
  }
}
