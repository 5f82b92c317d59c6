import type { Clock } from "../../base/clock.ts";
import { asBerthError } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import type { Logger } from "../../base/log.ts";
import { matchesLabelFilters } from "../../engine/filters/labels.ts";
import { parseDuration_ms } from "../../model/duration.ts";
import type { ContainerBackend, Engine, Filters, ImageBackend, LogRecord } from "../../ports/engine.ts";
import { type Reapable, reap } from "./reap.ts";
import { isRyuk, ryukImage } from "./ryuk-image.ts";
import { VirtualContainer } from "./virtual-container.ts";

const connect_ms = 60_000;
const reconnect_ms = 10_000;

type DockerEngine = Pick<Engine, "containers" | "images" | "networks" | "volumes" | "system">;

/**
 * The engine, and beside it what Testcontainers asks of a privileged helper: when a client creates a container of Ryuk's image, its port is served here, and
 * what the client's session is labelled with is removed when its connection has gone. No such image is fetched and no such container runs.
 */
export function withReaper(engine: DockerEngine, parts: { clock: Clock; logger: Logger }): DockerEngine & Disposable {
  const virtual = new Map<string, VirtualContainer>();
  return {
    networks: engine.networks,
    volumes: engine.volumes,
    system: engine.system,
    containers: reapingContainers(engine, virtual, parts),
    images: reapingImages(engine.images),
    [Symbol.dispose]() {
      for (const container of virtual.values()) container.stop();
    },
  };
}

function reapingImages(images: ImageBackend): ImageBackend {
  return {
    ...images,
    get: async (reference, options) =>
      isRyuk(reference) ? ryukImage(reference) : await images.get(reference, options),
    find: async (reference, options) =>
      isRyuk(reference) ? ryukImage(reference) : await images.find(reference, options),
    pull: async (reference, options) =>
      isRyuk(reference) ? ryukImage(reference) : await images.pull(reference, options),
  };
}

function reapingContainers(
  engine: Reapable,
  virtual: Map<string, VirtualContainer>,
  parts: { clock: Clock; logger: Logger },
): ContainerBackend {
  const real = engine.containers;
  const find = (reference: string) => findIn(virtual, reference);
  return {
    ...real,
    create: async (spec, options) => {
      if (!isRyuk(spec.image)) return await real.create(spec, options);
      const id = newId();
      virtual.set(id, new VirtualContainer(id, spec, ryukOptions(engine, id, spec.env, virtual, parts)));
      return { id, warnings: [] };
    },
    start: async (reference, options) => await (find(reference)?.start() ?? real.start(reference, options)),
    stop: async (reference, options) => {
      const container = find(reference);
      if (container === undefined) return await real.stop(reference, options);
      container.stop();
    },
    kill: async (reference, signal, options) => {
      const container = find(reference);
      if (container === undefined) return await real.kill(reference, signal, options);
      container.stop();
    },
    remove: async (reference, options) => {
      const container = find(reference);
      if (container === undefined) return await real.remove(reference, options);
      container.stop();
      virtual.delete(container.id);
    },
    wait: async (reference, options) => {
      const container = find(reference);
      if (container === undefined) return await real.wait(reference, options);
      options?.onRegistered?.();
      await container.ended;
      return { exitCode: 0 };
    },
    inspect: async (reference, options) => find(reference)?.inspect() ?? (await real.inspect(reference, options)),
    list: async options => {
      const own = [...virtual.values()].filter(container => matches(container, options?.filters ?? {}));
      const shown = own.filter(container => options?.all || container.running);
      return [...shown.map(container => container.summary()), ...(await real.list(options))];
    },
    logs: (reference, options) => (find(reference) ? ryukLog(parts.clock) : real.logs(reference, options)),
  };
}

function ryukOptions(
  engine: Reapable,
  id: string,
  env: string[],
  virtual: Map<string, VirtualContainer>,
  { clock, logger }: { clock: Clock; logger: Logger },
) {
  const setting = (name: string, otherwise_ms: number) => {
    const value = env.find(entry => entry.startsWith(`${name}=`))?.slice(name.length + 1);
    return (value && parseDuration_ms(value)) || otherwise_ms;
  };
  const onAbandoned = (filters: Filters[]) => {
    virtual.delete(id);
    Promise.all(filters.map(selection => reap(engine, selection))).then(
      removed => logger.log("info", "a session has gone; removed what it left", { removed: removed.flat().length }),
      thrown => logger.log("error", "removing what a session left failed", { error: asBerthError(thrown).message }),
    );
  };
  return {
    ...{ clock, onAbandoned },
    isOpen: (address: string) => isOwnAddress(engine, address),
    connect_ms: setting("RYUK_CONNECTION_TIMEOUT", connect_ms),
    reconnect_ms: setting("RYUK_RECONNECTION_TIMEOUT", reconnect_ms),
  };
}

/** Clients on this host and in its containers, which reach it by their network's gateway; never those on the host's other networks. */
async function isOwnAddress(engine: Reapable, address: string): Promise<boolean> {
  if (address === "::1" || address.startsWith("127.")) return true;
  return (await engine.networks.list()).some(({ pools }) => pools.some(({ gateway }) => gateway === address));
}

function findIn(virtual: Map<string, VirtualContainer>, reference: string): VirtualContainer | undefined {
  const name = reference.replace(/^\//, "");
  for (const container of virtual.values()) {
    if (container.name === name || (name.length >= 12 && container.id.startsWith(name))) return container;
  }
  return undefined;
}

/** Of Docker's filters those that Testcontainers' clients use; a container of nobody's is not found by others. */
function matches(container: VirtualContainer, filters: Filters): boolean {
  return Object.entries(filters).every(([key, values]) => {
    if (key === "label" || key === "label!") return matchesLabelFilters(container.spec.labels, { [key]: values });
    if (key === "name") return values.some(value => container.name.includes(value.replace(/^\^?\/?|\$$/g, "")));
    if (key === "id") return values.some(value => container.id.startsWith(value));
    return key === "status" && values.includes(container.running ? "running" : "exited");
  });
}

/** Clients wait for this line. */
async function* ryukLog(clock: Clock): AsyncGenerator<LogRecord> {
  yield { stream: "stdout", time: new Date(clock.now_ms()).toISOString(), data: Buffer.from("Started!\n") };
}
