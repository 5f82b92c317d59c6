import { createHash } from "node:crypto";
import { chmodSync, existsSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import type { Environment } from "../base/env.ts";
import { BerthError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { DockerContext } from "../docker/docker-context.ts";
import { createDockerServer, type MutualTls } from "../docker/docker-server.ts";
import { withReaper } from "../docker/reaper/with-reaper.ts";
import type { HostSettings } from "./settings.ts";
import { version } from "./version.ts";

export const dockerSocketPath = (settings: HostSettings) => join(settings.run, "docker.sock");

/**
 * Serves Docker's API on `<run>/docker.sock`; and where BERTH_DOCKER_LISTEN says "address:port", there too, to clients with a certificate that the
 * authority in BERTH_DOCKER_TLS (a directory with ca.pem, cert.pem and key.pem) has signed. There is no way to serve it on a network without.
 */
export async function startDockerFace(
  settings: HostSettings,
  environment: Environment,
  parts: Pick<DockerContext, "engine" | "builder">,
  logger: Logger,
): Promise<AsyncDisposable> {
  const common = { clock: systemClock, logger };
  const engine = withReaper(parts.engine, common);
  const docker: DockerContext = { ...common, engine, builder: parts.builder, hostId: hostId(settings) };
  const path = dockerSocketPath(settings);
  rmSync(path, { force: true });
  const servers = [await listening(createDockerServer(docker, { version }), { path })];
  chmodSync(path, 0o660);
  const tcp = tcpSettings(environment);
  if (tcp) servers.push(await listening(createDockerServer(docker, { version, tls: tcp.tls }), tcp));
  return {
    async [Symbol.asyncDispose]() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
      engine[Symbol.dispose]();
      rmSync(path, { force: true });
    },
  };
}

async function listening(server: Server, where: { path: string } | { host: string; port: number }): Promise<Server> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, resolve);
  });
  return server;
}

function tcpSettings(environment: Environment): { host: string; port: number; tls: MutualTls } | undefined {
  const address = environment["BERTH_DOCKER_LISTEN"];
  if (!address) return undefined;
  const [, host = "", port] = /^(?:tcp:\/\/)?\[?(.*?)\]?:(\d{1,5})$/.exec(address) ?? [];
  const directory = environment["BERTH_DOCKER_TLS"];
  if (port === undefined || !directory) {
    throw new BerthError("invalid", `BERTH_DOCKER_LISTEN=${address}: serving Docker's API on a network`, {
      hint: "BERTH_DOCKER_LISTEN is address:port, and BERTH_DOCKER_TLS a directory with ca.pem, cert.pem and key.pem",
    });
  }
  const read = (name: string) => readFileSync(join(directory, name), "utf8");
  const tls = { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
  return { host: host || "::", port: Number(port), tls };
}

/** The same at each start, and another one for each engine of a machine. */
function hostId(settings: HostSettings): string {
  const machine = existsSync("/etc/machine-id") ? readFileSync("/etc/machine-id", "utf8").trim() : "";
  const hash = createHash("sha256").update(`${machine} ${settings.root}`).digest("hex");
  return hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}
