import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { asBerthError } from "../base/errors.ts";
import type { DockerContext } from "./docker-context.ts";
import { apiVersion } from "./http/api-version.ts";
import { Exchange } from "./http/exchange.ts";
import { failure } from "./http/failure.ts";
import { Router } from "./http/router.ts";
import { allOperations } from "./operations.ts";

/** Certificates of a server that only lets in whom its authority has signed. */
export interface MutualTls {
  ca: string;
  cert: string;
  key: string;
}

export interface DockerServerOptions {
  /** Reported in the Server header. */
  version: string;
  tls?: MutualTls;
}

/** Docker's Engine API over the backends, on an HTTP server that is not listening yet. */
export function createDockerServer(docker: DockerContext, options: DockerServerOptions): Server {
  const router = new Router(allOperations());
  const headers = {
    "Api-Version": apiVersion,
    "Docker-Experimental": "false",
    Ostype: "linux",
    Server: `Berth/${options.version} (linux)`,
  };
  const listener: RequestListener = (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    answer(docker, router, request, response).catch(thrown =>
      docker.logger.log("error", "answering a Docker client failed", { error: asBerthError(thrown).message }),
    );
  };
  const { tls } = options;
  const server = tls
    ? createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.2" }, listener)
    : createServer(listener);
  // Uploads and builds take as long as they take; what must be quick is the header (60 s, Node's own limit).
  server.requestTimeout = 0;
  // Docker's clients keep connections and take them to be open: a server that closes idle ones makes their next request fail.
  server.keepAliveTimeout = 0;
  server.on("clientError", refuseConnection);
  return server as Server;
}

async function answer(
  docker: DockerContext,
  router: Router,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let exchange: Exchange | undefined;
  try {
    const target = router.find(request.method ?? "", request.url ?? "");
    exchange = new Exchange(request, response, target);
    await target.operation.handle(docker, exchange);
  } catch (thrown) {
    const { status, message } = failure(thrown);
    const level = status >= 500 && !exchange?.signal.aborted ? "warn" : "debug";
    docker.logger.log(level, "a Docker client's request failed", { url: request.url, status, error: message });
    exchange ??= new Exchange(request, response, { params: {}, query: new URLSearchParams(), version: 50 });
    exchange.fail(thrown);
  }
}

/** What is no HTTP, or has too long a header. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
  const [status, message] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? ["431 Request Header Fields Too Large", "the request header is too long"]
      : ["400 Bad Request", "this is not HTTP/1.1"];
  const body = JSON.stringify({ message });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}
