import { readFileSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { systemClock } from "../base/clock.ts";
import { lineLogger } from "../base/log.ts";
import { serveControl } from "../discovery/control-server.ts";
import { Forwarder } from "../discovery/forwarder.ts";
import { NameTable } from "../discovery/name-table.ts";
import { nameserversIn } from "../discovery/resolv-conf.ts";
import { ResolverHost } from "../discovery/resolver-host.ts";
import { Responder } from "../discovery/responder.ts";
import { FileLocks } from "../drivers/linux/file-locks.ts";
import { EndpointFiles } from "../drivers/network/endpoint-files.ts";
import { namePaths } from "../drivers/network/name-service.ts";
import { openResolver } from "../drivers/network/resolver-sockets.ts";

/**
 * berth-dns --state <directory>: answers names inside the containers of one instance. The engine starts it when needed, with the lock that makes it the only
 * one as an inherited descriptor; it ends by itself when no container needs it.
 */

/** Between the last container's end and the program's: the next one often follows at once. */
const linger_ms = 2_000;

const { values } = parseArgs({ options: { state: { type: "string" } } });
const paths = namePaths(values.state ?? "");
if (values.state === undefined || !new FileLocks(systemClock).isHeld(paths.lock)) {
  process.stderr.write(
    "berth-dns is started by the engine: usage: berth-dns --state <directory of the network's state>\n",
  );
  process.exit(125);
}
const log = lineLogger(
  "info",
  () => systemClock.now_ms(),
  line => process.stderr.write(line),
);

const endpoints = new EndpointFiles(values.state);
const containers = () => [...new Set(endpoints.networks().flatMap(network => endpoints.containersOf(network)))];
const table = new NameTable();
const responder = new Responder({
  table,
  forwarder: new Forwarder({ clock: systemClock, random: Math.random }),
  hostNameservers: () => nameserversIn(readFileSync("/etc/resolv.conf", "utf8")),
  random: Math.random,
});
const host = new ResolverHost({
  table,
  responder,
  recordsOf: id => endpoints.ofContainer(id),
  containers,
  open: openResolver,
});

let cancelEnd = () => {};
let control: AsyncDisposable;

async function serve(): Promise<void> {
  for (const reason of await host.load()) log.log("warn", reason);
  rmSync(paths.socket, { force: true });
  control = await serveControl(paths.socket, id => host.sync(id).finally(watchEnd));
  watchEnd();
}

function watchEnd(): void {
  cancelEnd();
  cancelEnd = host.size > 0 ? () => {} : systemClock.after(linger_ms, () => void endIfIdle());
}

/** Closes the door first, and looks again behind it: who wrote a record before that and was not heard is found here, who comes later starts another program. */
async function endIfIdle(): Promise<void> {
  await control[Symbol.asyncDispose]();
  await host.load();
  if (host.size === 0) process.exit(0);
  control = await serveControl(paths.socket, id => host.sync(id).finally(watchEnd));
}

serve().catch(thrown => {
  log.log("error", `berth-dns cannot serve: ${thrown instanceof Error ? thrown.message : thrown}`);
  process.exit(1);
});
