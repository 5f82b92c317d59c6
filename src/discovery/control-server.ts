import { once } from "node:events";
import { createServer, type Socket } from "node:net";

const lineLimit = 1024;
const idle_ms = 30_000;

/**
 * The engine's side door to a running resolver: a unix socket; each line is a container's id, answered with "ok" or the reason why it is not served, when
 * its names are up to date.
 */
export async function serveControl(
  path: string,
  sync: (containerId: string) => Promise<void>,
): Promise<AsyncDisposable> {
  const connections = new Set<Socket>();
  const server = createServer(socket => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(idle_ms, () => socket.destroy());
    let rest = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      if (rest.length > lineLimit) return void socket.destroy();
      for (const line of lines) void answer(socket, sync(line));
    });
  });
  server.listen(path);
  await once(server, "listening");
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy();
      await new Promise<void>(resolve => server.close(() => resolve()));
    },
  };
}

async function answer(socket: Socket, change: Promise<void>): Promise<void> {
  const text = await change.then(
    () => "ok",
    (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown)).replaceAll("\n", " "),
  );
  if (!socket.destroyed) socket.write(`${text}\n`);
}
