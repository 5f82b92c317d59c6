import { createSocket } from "node:dgram";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import type { Transport } from "./forwarder.ts";
import { TcpFrames, tcpFrame } from "./tcp-frames.ts";

/** Descriptors of a bound UDP and a bound TCP socket, wherever they were bound. */
export interface BoundSockets {
  udpFd: number;
  tcpFd: number;
}

type Respond = (query: Buffer, transport: Transport) => Promise<Buffer | undefined>;

const connectionLimit = 32;
const idle_ms = 10_000;
/** Queries of one connection being answered; reading stops there. */
const pipelineLimit = 32;

/** Serves DNS on the two sockets until it is disposed of. Takes the descriptors over, also when it throws. */
export async function listen({ udpFd, tcpFd }: BoundSockets, respond: Respond): Promise<AsyncDisposable> {
  let udp: AsyncDisposable;
  try {
    udp = await listenUdp(udpFd, respond);
  } catch (thrown) {
    closeSync(tcpFd);
    throw thrown;
  }
  try {
    const tcp = await listenTcp(tcpFd, respond);
    return {
      async [Symbol.asyncDispose]() {
        await Promise.all([udp[Symbol.asyncDispose](), tcp[Symbol.asyncDispose]()]);
      },
    };
  } catch (thrown) {
    await udp[Symbol.asyncDispose]();
    throw thrown;
  }
}

async function listenUdp(fd: number, respond: Respond): Promise<AsyncDisposable> {
  const socket = createSocket("udp4");
  let open = true;
  socket.on("message", (query, from) => {
    void respond(query, "udp").then(answer => {
      if (open && answer !== undefined) socket.send(answer, from.port, from.address, () => {});
    });
  });
  // An error of one send (the client's port is closed again) is the client's.
  socket.on("error", () => {});
  const listening = once(socket, "listening"); // comes at once for a socket that is bound already
  socket.bind({ fd });
  await listening;
  return {
    async [Symbol.asyncDispose]() {
      open = false;
      await new Promise<void>(resolve => socket.close(resolve));
    },
  };
}

async function listenTcp(fd: number, respond: Respond): Promise<AsyncDisposable> {
  const connections = new Set<Socket>();
  const server = createServer(socket => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    serveConnection(socket, respond);
  });
  server.maxConnections = connectionLimit;
  const listening = once(server, "listening");
  server.listen({ fd });
  await listening;
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy();
      await new Promise<void>(resolve => server.close(() => resolve()));
    },
  };
}

function serveConnection(socket: Socket, respond: Respond): void {
  let underWay = 0;
  const frames = new TcpFrames(query => {
    underWay += 1;
    if (underWay >= pipelineLimit) socket.pause();
    void respond(query, "tcp").then(answer => {
      underWay -= 1;
      if (answer === undefined || socket.destroyed) return void socket.destroy();
      socket.write(tcpFrame(answer));
      socket.resume();
    });
  });
  socket.setTimeout(idle_ms, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", chunk => frames.push(chunk));
}
