import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { silentLogger } from "../../src/base/log.ts";
import { ConmonRuntime } from "../../src/drivers/conmon/conmon-runtime.ts";
import { LinuxHost } from "../../src/drivers/host/linux-host.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { LinuxMounts } from "../../src/drivers/mounts/linux-mounts.ts";
import { BridgeNetworks } from "../../src/drivers/network/bridge-networks.ts";
import { OverlayLayers } from "../../src/drivers/overlay/overlay-layers.ts";
import { LinuxRootFiles } from "../../src/drivers/root-files/linux-root-files.ts";
import { LocalEngine } from "../../src/engine/local-engine.ts";
import { DiskContentStore } from "../../src/image/content/content-store.ts";
import { LocalImageService } from "../../src/image/image-service.ts";
import type { ContainerSpec } from "../../src/model/container.ts";
import { importBusybox } from "./busybox-image.ts";

export interface Places {
  base: string;
  root: string;
  run: string;
  instance: string;
}

/** An engine of real parts over its own directories; a second call with the same places is a second process's view. */
export function openEngine(places: Places) {
  const { root, run, instance } = places;
  const clock = systemClock;
  const random = Math.random;
  const locks = new FileLocks(clock);
  const content = new DiskContentStore({ root: join(root, "content"), locks, clock });
  const layers = new OverlayLayers({ root: join(root, "layers"), content, locks, clock });
  const host = new LinuxHost();
  const platform = { os: "linux", architecture: host.facts().architecture };
  const images = new LocalImageService({
    root: join(root, "images"),
    content,
    layers,
    locks,
    clock,
    platform,
    clients: {} as never,
  });
  const networks = new BridgeNetworks({
    definitionsDirectory: join(root, "networks"),
    stateDirectory: join(run, "network"),
    instance,
    locks,
    clock,
    random,
  });
  const runtime = new ConmonRuntime({
    runDirectory: join(run, "monitor"),
    searchPath: process.env["PATH"] ?? "",
    clock,
  });
  const engine = new LocalEngine({
    ...{ root, run, instance, clock, random, newId, locks, images, layers, networks, runtime, host },
    version: "test",
    logger: silentLogger,
    mounts: new LinuxMounts(),
    rootFiles: new LinuxRootFiles(),
    volumes: {} as never,
    cgroups: {} as never,
    programs: { onExit: ["true"], keep: ["true"] },
    startDetached: ([program = "", ...rest]) => {
      spawn(program, rest, { detached: true, stdio: "ignore" }).unref();
    },
  });
  return { engine, images, layers, networks, runtime };
}
let counter = 0;
export async function makeEngine() {
  const base = mkdtempSync("/tmp/berth-engine-");
  const places = {
    base,
    root: join(base, "root"),
    run: join(base, "run"),
    instance: `e${process.pid % 10000}${counter++}`,
  };
  mkdirSync(places.root);
  mkdirSync(places.run);
  return {
    ...openEngine(places),
    places,
    [Symbol.asyncDispose]: async () => rmSync(base, { recursive: true, force: true }),
  };
}
export const spec = (over: Partial<ContainerSpec>): ContainerSpec => ({
  image: "busybox",
  env: [],
  labels: {},
  mounts: [],
  ports: [],
  namespaces: {},
  resources: {},
  restart: { name: "no" },
  log: { driver: "", options: {} },
  ...over,
});
export { importBusybox };
