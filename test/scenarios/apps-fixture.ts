import { silentLogger } from "../../src/base/log.ts";
import { LinuxMounts } from "../../src/drivers/mounts/linux-mounts.ts";
import { createControlPlane, filesPath } from "../../src/main/create-control-plane.ts";
import type { AppEvent } from "../../src/ports/apps.ts";
import { makeHost, type TestHost } from "./harness.ts";

export type Running = Omit<ReturnType<typeof createControlPlane>, "run"> & { end(): Promise<void> };

export interface AppsHost extends AsyncDisposable {
  host: TestHost;
  /** The berthd of now. */
  berthd: Running;
  /** Ends it as far as an abort can, and starts another. */
  restart(): Promise<void>;
}

/** Server, agent and a real engine in this process. */
export async function makeAppsHost(): Promise<AppsHost> {
  const host = await makeHost();
  const stop = new AbortController();
  const supervised = host.engine.supervise({ signal: stop.signal }).catch(() => undefined);
  const appsHost: AppsHost = {
    host,
    berthd: await startBerthd(host),
    async restart() {
      await appsHost.berthd.end();
      appsHost.berthd = await startBerthd(host);
    },
    async [Symbol.asyncDispose]() {
      await appsHost.berthd.end();
      stop.abort();
      await supervised;
      new LinuxMounts().unmount(filesPath(host.settings));
      await host[Symbol.asyncDispose]();
    },
  };
  return appsHost;
}

async function startBerthd({ engine, builder, settings }: TestHost): Promise<Running> {
  const { run, ...parts } = createControlPlane(settings, engine, builder, silentLogger);
  const stop = new AbortController();
  let ended: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    ended = run({ signal: stop.signal, onReady: resolve });
    ended.catch(reject);
  });
  return {
    ...parts,
    async end() {
      stop.abort();
      await ended;
      await parts.store[Symbol.asyncDispose]();
    },
  };
}

export async function all(events: AsyncIterable<AppEvent>): Promise<AppEvent[]> {
  const found: AppEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}
