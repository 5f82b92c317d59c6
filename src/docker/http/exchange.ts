import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BerthError } from "../../base/errors.ts";
import { failure } from "./failure.ts";
import { Fields } from "./fields.ts";
import { LineWriter } from "./line-writer.ts";
import { Query } from "./query.ts";

const bodyLimit_bytes = 8 * 1024 * 1024;
/** A context of a build that has failed already is taken in up to this. */
const discardLimit_bytes = 1024 * 1024 * 1024;

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Parts of the path by the names that the operation gives them. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  /** Minor version of the API that the client speaks: 43 for 1.43. */
  readonly version: number;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  readonly #gone = new AbortController();
  #lines: LineWriter | undefined;
  #hijacked = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    target: { params: Record<string, string>; query: URLSearchParams; version: number },
  ) {
    this.request = request;
    this.response = response;
    this.params = target.params;
    this.query = new Query(target.query);
    this.version = target.version;
    this.signal = this.#gone.signal;
    // Who reads it is told of its errors; where nobody does any more, they are no reason to end the process.
    request.on("error", () => undefined);
    // Kept, since a request that is done with no longer knows its socket.
    const { socket } = request;
    socket.once("close", this.#leave);
    response.once("finish", () => socket.off("close", this.#leave));
  }

  readonly #leave = () => this.#gone.abort(new BerthError("cancelled", "the client has left"));

  param(name: string): string {
    const value = this.params[name];
    if (!value) throw new BerthError("invalid", `the ${name} is missing in the path`);
    return value;
  }

  /** The body as an object; an empty one is `{}`. */
  async body(): Promise<Fields> {
    const chunks: Buffer[] = [];
    let size_bytes = 0;
    for await (const chunk of this.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size_bytes += chunk.length;
      if (size_bytes > bodyLimit_bytes) {
        throw new BerthError("invalid", `the request body has more than ${bodyLimit_bytes} bytes`);
      }
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString("utf8").trim();
    if (text === "") return new Fields({});
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new BerthError("invalid", `the request body is not JSON: ${(cause as Error).message}`, { cause });
    }
    // Some clients send a JSON null or text where there is nothing to say.
    return new Fields(value === null || value === "" ? {} : value);
  }

  /** The body as a stream of bytes. Whoever destroys it does not destroy the connection: the error still has to be told on it. */
  upload(): Readable {
    const { request } = this;
    const stream = new PassThrough();
    stream.on("error", () => undefined);
    stream.once("close", () => request.unpipe(stream));
    request.once("close", () => request.complete || stream.destroy(new BerthError("cancelled", "the client has left")));
    return request.pipe(stream);
  }

  json(value: unknown, status = 200): void {
    const text = `${JSON.stringify(value)}\n`;
    this.response.writeHead(status, {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(text),
    });
    this.response.end(this.request.method === "HEAD" ? undefined : text);
  }

  empty(status = 204): void {
    this.response.writeHead(status, status === 204 || status === 304 ? {} : { "Content-Length": 0 }).end();
  }

  /** Sends the headers now; the body follows. */
  begin(contentType: string): ServerResponse {
    this.response.writeHead(200, { "Content-Type": contentType });
    this.response.flushHeaders();
    this.response.socket?.setNoDelay(true);
    return this.response;
  }

  /** A stream of JSON values. Errors after its first line are sent in it, as Docker does. */
  lines(): LineWriter {
    this.#lines ??= new LineWriter(this.response, () => void this.begin("application/json"), this.signal);
    return this.#lines;
  }

  async stream(source: Readable, contentType: string): Promise<void> {
    await pipeline(source, this.begin(contentType), { signal: this.signal });
  }

  /**
   * Takes the connection away from HTTP, for raw bytes both ways: with `Upgrade`, or the old way, where the answer's body simply has no end. What the
   * request said must have been read.
   */
  hijack(contentType: string): Socket {
    const { socket } = this.request;
    this.#hijacked = true;
    for (const event of ["data", "end", "drain", "timeout"]) socket.removeAllListeners(event);
    const upgrade = this.request.headers.upgrade;
    const status =
      upgrade === undefined ? "200 OK" : `101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: ${upgrade.slice(0, 40)}`;
    socket.write(`HTTP/1.1 ${status}\r\nContent-Type: ${contentType}\r\nApi-Version: 1.${this.version}\r\n\r\n`);
    socket.on("error", () => socket.destroy());
    socket.setNoDelay(true);
    return socket;
  }

  /** Clients read the answer only when they have sent all; but for what is endless the connection ends. */
  discardBody(): void {
    const { request } = this;
    const { socket } = request;
    let left_bytes = discardLimit_bytes;
    request.on("data", (chunk: Buffer) => {
      left_bytes -= chunk.length;
      if (left_bytes < 0) socket?.destroy();
    });
  }

  /** Answers with an error, in whichever way is still open. */
  fail(thrown: unknown): void {
    const { status, message } = failure(thrown);
    if (this.#hijacked) this.request.socket.destroy();
    else if (this.response.destroyed || this.response.writableEnded) return;
    else if (!this.response.headersSent) {
      if (status === 304) this.empty(304);
      else this.json({ message }, status);
      this.discardBody();
    } else if (this.#lines?.begun) {
      this.response.end(`${JSON.stringify({ errorDetail: { message }, error: message })}\r\n`);
      this.discardBody();
    } else this.response.destroy();
  }
}
