import { once } from "node:events";
import { chmodSync, chownSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";

const mostConnections = 64;

/**
 * A socket of our own that passes everything on to an SSH agent: the agent's own belongs to a user of the host, with a mode that a step could not use,
 * and is not to be changed.
 */
export async function forwardAgent(input: {
  agentPath: string;
  path: string;
  uid: number;
  gid: number;
  mode: number;
}): Promise<AsyncDisposable> {
  const open = new Set<Socket>();
  const server = createServer(client => {
    const agent = connect(input.agentPath);
    for (const socket of [client, agent]) {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      // Either side going away ends both; ssh says itself what it misses.
      socket.on("error", () => {
        client.destroy();
        agent.destroy();
      });
    }
    client.pipe(agent).pipe(client);
  });
  server.maxConnections = mostConnections;
  server.listen(input.path);
  await once(server, "listening");
  chownSync(input.path, input.uid, input.gid);
  chmodSync(input.path, input.mode);
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
      rmSync(input.path, { force: true });
    },
  };
}
