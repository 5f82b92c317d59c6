import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { asBerthError, BerthError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Session } from "../ports/engine.ts";
import type { MethodShape, MethodTable } from "./methods.ts";
import { serveSession } from "./session.ts";
import { decodeValue, encodeValue } from "./values.ts";

/** Objects by noun, e.g. `{ containers: engine.containers }`. */
export type Backends = Record<string, object>;

type Method = (...args: unknown[]) => unknown;

const bodyLimit_bytes = 16 * 1024 * 1024;

interface Call {
  shape: MethodShape;
  run: Method;
  signal: AbortSignal;
}

/** Serves the tables' methods on an HTTP server that is not listening yet. A client that goes away aborts what it asked for. */
export function createApiServer(tables: MethodTable, backends: Backends, logger: Logger): Server {
  const find = (request: IncomingMessage, socket: Duplex | ServerResponse): Call => {
    const [, version, noun = "", verb = ""] = (request.url ?? "").split("/");
    const shape =
      version === "v1" && Object.hasOwn(tables, noun) && Object.hasOwn(tables[noun]!, verb)
        ? tables[noun]![verb]
        : undefined;
    const backend = backends[noun] as Record<string, Method> | undefined;
    const method = backend?.[verb];
    if (shape === undefined || typeof method !== "function") {
      throw new BerthError("not_found", `no such call: ${request.method} ${request.url}`, {
        hint: "is berthd older than this program? 'berth version' shows both",
      });
    }
    if (request.method !== "POST") throw new BerthError("invalid", `${request.url} takes POST, not ${request.method}`);
    const gone = new AbortController();
    socket.once("close", () => gone.abort(new BerthError("cancelled", `the client left during ${noun}.${verb}`)));
    return { shape, run: (...args) => method.apply(backend, args), signal: gone.signal };
  };

  const server = createServer((request, response) => {
    answer(request, response, find).catch(thrown => {
      logger.log("debug", "request failed", { url: request.url, error: asBerthError(thrown).message });
      fail(response, thrown);
    });
  });
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    upgrade(request, socket, head, find).catch(thrown => {
      if (socket.writable) socket.end(rawError(asBerthError(thrown)));
    });
  });
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  return server;
}

type Find = (request: IncomingMessage, socket: Duplex | ServerResponse) => Call;

async function answer(request: IncomingMessage, response: ServerResponse, find: Find): Promise<void> {
  const call = find(request, response);
  switch (call.shape.kind) {
    case "call": {
      const result = await invoke(call, await bodyArguments(request));
      response.setHeader("Content-Type", "application/json").end(encodeValue({ result: result ?? null }));
      return;
    }
    case "items":
      return sendItems(response, invoke(call, await bodyArguments(request)) as AsyncIterable<unknown>);
    case "progress":
      return sendProgress(response, call, call.shape.callbacks, await bodyArguments(request));
    case "upload": {
      const args = headerArguments(request);
      args.splice(call.shape.argument, 0, request);
      return sendProgress(response, call, call.shape.callbacks, args);
    }
    case "download":
      return sendStream(response, await invoke(call, await bodyArguments(request)), call.shape.stream);
    case "session":
      throw new BerthError("invalid", `${request.url} needs 'Upgrade: berth-session'`);
  }
}

async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, find: Find): Promise<void> {
  const call = find(request, socket);
  if (call.shape.kind !== "session") throw new BerthError("invalid", `${request.url} is no session`);
  const session = (await invoke(call, headerArguments(request))) as Session | undefined;
  const shape = session === undefined ? null : { tty: session.tty };
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: berth-session\r\nBerth-Result: ${JSON.stringify(shape)}\r\n\r\n`,
  );
  if (session === undefined) socket.end();
  else await serveSession(session, socket, head);
}

/** Calls the method with the caller's signal (and callbacks) merged into its options argument. */
function invoke(call: Call, args: unknown[], callbacks: object = {}): unknown {
  const position = call.shape.options;
  const filled = Array.from({ length: position }, (_, index) => args[index] ?? undefined);
  return call.run(...filled, { ...(args[position] as object | undefined), signal: call.signal, ...callbacks });
}

async function bodyArguments(request: IncomingMessage): Promise<unknown[]> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit_bytes) throw new BerthError("invalid", `request body of more than ${bodyLimit_bytes} bytes`);
    chunks.push(chunk);
  }
  return parseArguments(Buffer.concat(chunks).toString("utf8"));
}

function headerArguments(request: IncomingMessage): unknown[] {
  return parseArguments(Buffer.from(String(request.headers["berth-args"] ?? ""), "base64url").toString("utf8"));
}

function parseArguments(text: string): unknown[] {
  let body: unknown;
  try {
    body = text === "" ? { args: [] } : decodeValue(text);
  } catch (cause) {
    throw new BerthError("invalid", "the request body is not JSON", { cause });
  }
  const args = (body as { args?: unknown } | null)?.args;
  if (!Array.isArray(args)) throw new BerthError("invalid", 'the request body must be {"args": […]}');
  return args;
}

async function sendItems(response: ServerResponse, source: AsyncIterable<unknown>): Promise<void> {
  const lines = ndjson(response);
  for await (const item of source) await lines.write({ item });
  lines.end();
}

async function sendProgress(response: ServerResponse, call: Call, callbacks: string[], args: unknown[]): Promise<void> {
  const lines = ndjson(response);
  const reports = Object.fromEntries(
    callbacks.map(name => [name, (value: unknown) => void lines.write({ callback: name, value })]),
  );
  const result = await invoke(call, args, reports);
  await lines.write({ result: result ?? null });
  lines.end();
}

async function sendStream(response: ServerResponse, result: unknown, property: string | undefined): Promise<void> {
  const stream = (property === undefined ? result : (result as Record<string, unknown>)[property]) as Readable;
  const rest = property === undefined ? null : { ...(result as object), [property]: undefined };
  response.setHeader("Content-Type", "application/x-tar");
  response.setHeader("Berth-Result", Buffer.from(encodeValue(rest)).toString("base64url"));
  await pipeline(stream, response);
}

/** Lines of JSON with back-pressure; headers go out with the first, so that an early failure still gets its status. */
function ndjson(response: ServerResponse) {
  response.setHeader("Content-Type", "application/x-ndjson");
  // Headers must not wait for the first line: a follower of a silent log would never know that it is connected.
  setImmediate(() => response.headersSent || response.destroyed || response.flushHeaders());
  return {
    async write(line: unknown): Promise<void> {
      if (response.destroyed) return;
      if (!response.write(`${encodeValue(line)}\n`)) {
        await new Promise<void>(resolve => {
          response.once("drain", resolve);
          response.once("close", resolve);
        });
      }
    },
    end: () => response.end(),
  };
}

function fail(response: ServerResponse, thrown: unknown): void {
  const error = asBerthError(thrown);
  if (response.destroyed) return;
  if (response.getHeader("Content-Type") === "application/x-ndjson" && response.headersSent) {
    response.end(`${encodeValue({ error })}\n`);
  } else if (response.headersSent) {
    response.destroy();
  } else {
    // 304 has no body by HTTP's rules; our own clients read the code from the body.
    response.statusCode = error.status === 304 ? 409 : error.status;
    response.setHeader("Content-Type", "application/json").end(encodeValue({ error }));
  }
}

function rawError(error: BerthError): string {
  const body = encodeValue({ error });
  const status = error.status === 304 ? 409 : error.status;
  return `HTTP/1.1 ${status} Error\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}
