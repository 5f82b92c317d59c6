import { once } from "node:events";
import { createConnection } from "node:net";
import { hostMethods } from "../api/methods.ts";
import { BerthError } from "../base/errors.ts";
import type { Backends, CliEngine } from "../cli/context.ts";
import { createClient } from "../client/client.ts";
import { HttpTransport } from "../client/transport.ts";
import { type HostSettings, socketPath } from "./settings.ts";

/** Everything that berthd serves. */
export interface HostClient extends CliEngine, Backends {}

/** The host's berthd as an engine; starts it if it is not running. */
export async function connectToHost(settings: HostSettings): Promise<HostClient> {
  // Loaded only when there is something to start: it is a tenth of the time that a command takes.
  if (!(await answers(settings))) await (await import("./start-host.ts")).startHost(settings, answers);
  const transport = new HttpTransport(socketPath(settings));
  return {
    ...createClient<Omit<HostClient, typeof Symbol.asyncDispose>>(hostMethods, transport),
    async [Symbol.asyncDispose]() {
      transport[Symbol.dispose]();
    },
  };
}

async function answers(settings: HostSettings): Promise<boolean> {
  const socket = createConnection(socketPath(settings));
  try {
    await once(socket, "connect");
    return true;
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ECONNREFUSED") return false;
    if (code === "EACCES") {
      throw new BerthError("forbidden", `berthd's socket ${socketPath(settings)} is not open to this user`, {
        cause: thrown,
        hint: "use sudo, or run your own engine: berth-engine --root DIR --run DIR",
      });
    }
    throw thrown;
  } finally {
    socket.destroy();
  }
}
