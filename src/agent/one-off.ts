import { readdirSync } from "node:fs";
import { isCode } from "../base/errors.ts";
import type { ContainerSpec } from "../model/container.ts";
import { containerName } from "../model/names.ts";
import type { Task } from "../model/task.ts";
import { wantedNetworks, wantedVolumes } from "../plan/resources.ts";
import type { CallOptions } from "../ports/content.ts";
import type { Engine } from "../ports/engine.ts";
import type { MadeOneOff, OneOff, OneOffs } from "../ports/one-offs.ts";
import { containerSpec } from "./container-spec.ts";
import { FileDelivery, hasGrants } from "./file-delivery.ts";
import { appLabel, slotLabel, taskLabel } from "./labels.ts";

/** On containers of `berth app run`: they are no tasks, and nothing keeps them running. */
export const oneOffLabel = "io.berth.oneoff";

/** One-off containers of this host. */
export class HostOneOffs implements OneOffs {
  readonly #engine: Engine;
  readonly #files: FileDelivery;
  readonly #filesRoot: string;
  readonly #newId: () => string;
  /** Being made: their files are there before their containers are. */
  readonly #making = new Set<string>();

  constructor(parts: { engine: Engine; filesRoot: string; newId: () => string }) {
    this.#engine = parts.engine;
    this.#files = new FileDelivery(parts.filesRoot);
    this.#filesRoot = parts.filesRoot;
    this.#newId = parts.newId;
  }

  async make(oneOff: OneOff, options: CallOptions = {}): Promise<MadeOneOff> {
    const { version, service: name } = oneOff;
    const service = version.app.services[name]!;
    const owner = `run-${this.#newId()}`;
    await this.#makeResources(oneOff, options);
    this.#making.add(owner);
    try {
      if (hasGrants(service)) this.#files.write(owner, service, oneOff.files);
      const made = containerSpec(taskOf(oneOff, owner), version, {
        files: this.#files.paths(owner, service),
        inherited: new Map(),
        peer: other => version.app.services[other]?.containerName ?? containerName(version.app.name, other, 1),
        imageId: version.images[name],
      });
      const spec = changed(made, oneOff, owner);
      const { id, warnings } = await this.#engine.containers.create(spec, options);
      return { id, warnings, name: spec.name! };
    } catch (thrown) {
      this.#files.remove(owner);
      throw thrown;
    } finally {
      this.#making.delete(owner);
    }
  }

  async removeAll(app: string, { signal, resources }: CallOptions & { resources?: boolean } = {}): Promise<string[]> {
    const { containers, networks } = this.#engine;
    const removed: string[] = [];
    const label = [oneOffLabel, `${appLabel}=${app}`];
    for (const { id, name } of await containers.list({ all: true, filters: { label } })) {
      await containers.remove(id, { force: true, volumes: true, signal });
      removed.push(name);
    }
    if (!resources) return removed;
    for (const { name, labels } of await networks.list()) {
      if (labels[appLabel] !== app) continue;
      await networks.remove(name, { signal });
      removed.push(name);
    }
    return removed;
  }

  /** Removes the files of containers that are gone, until aborted. */
  async tidy({ signal }: { signal: AbortSignal }): Promise<void> {
    await this.#tidyNow();
    for await (const event of this.#engine.system.events({ signal, filters: { type: ["container"] } })) {
      if (event.action === "destroy") await this.#tidyNow();
    }
  }

  async #tidyNow(): Promise<void> {
    const owners = readdirSync(this.#filesRoot).filter(name => name.startsWith("run-") && !this.#making.has(name));
    if (owners.length === 0) return;
    const list = await this.#engine.containers.list({ all: true, filters: { label: [oneOffLabel] } });
    const used = new Set(list.map(({ labels }) => labels[oneOffLabel]));
    for (const owner of owners) if (!used.has(owner)) this.#files.remove(owner);
  }

  async #makeResources({ version: { app }, service }: OneOff, options: CallOptions): Promise<void> {
    const { networks, volumes } = this.#engine;
    for (const { spec } of wantedNetworks(app, [service]).values()) {
      await unlessThere(
        () => networks.get(spec.name),
        () => networks.create(spec, options),
      );
    }
    for (const { spec } of wantedVolumes(app, [service]).values()) {
      await unlessThere(
        () => volumes.get(spec.name),
        () => volumes.create(spec, options),
      );
    }
  }
}

async function unlessThere(find: () => Promise<unknown>, make: () => Promise<unknown>): Promise<void> {
  try {
    await find();
  } catch (thrown) {
    if (!isCode(thrown, "not_found")) throw thrown;
    await make().catch(failed => {
      // Somebody was quicker.
      if (!isCode(failed, "already_exists")) throw failed;
    });
  }
}

/** The service's container, as docker compose run changes it: no ports and no names of the service, unless asked for. */
function changed(made: ContainerSpec, oneOff: OneOff, owner: string): ContainerSpec {
  const { [taskLabel]: _task, [slotLabel]: _slot, ...labels } = made.labels ?? {};
  const ports = [...(oneOff.servicePorts ? (made.ports ?? []) : []), ...(oneOff.ports ?? [])];
  return {
    ...made,
    name: oneOff.name ?? `${oneOff.version.app.name}-${oneOff.service}-${owner}`,
    labels: { ...labels, ...oneOff.labels, "com.docker.compose.oneoff": "True", [oneOffLabel]: owner },
    command: oneOff.command ?? (oneOff.entrypoint ? [] : made.command),
    entrypoint: oneOff.entrypoint ?? made.entrypoint,
    env: [...(made.env ?? []), ...(oneOff.env ?? [])],
    user: oneOff.user ?? made.user,
    workingDir: oneOff.workingDir ?? made.workingDir,
    tty: oneOff.tty,
    openStdin: oneOff.openStdin,
    stdinOnce: oneOff.openStdin,
    capAdd: [...(made.capAdd ?? []), ...(oneOff.capAdd ?? [])],
    capDrop: [...(made.capDrop ?? []), ...(oneOff.capDrop ?? [])],
    mounts: [...replaced(made.mounts ?? [], oneOff.mounts ?? []), ...(oneOff.mounts ?? [])],
    ports,
    endpoints: oneOff.useAliases
      ? made.endpoints
      : made.endpoints?.map(endpoint => ({ ...endpoint, aliases: [], ipv4: undefined, ipv6: undefined })),
    autoRemove: oneOff.autoRemove,
  };
}

/** A mount of the command line takes the place of the service's at the same target. */
function replaced(own: NonNullable<ContainerSpec["mounts"]>, given: NonNullable<ContainerSpec["mounts"]>) {
  return own.filter(({ target }) => !given.some(other => other.target === target));
}

/** What names and labels are made from; it is in no store. */
function taskOf({ version, service }: OneOff, id: string): Task {
  return {
    id,
    app: version.app.name,
    service,
    slot: "run",
    number: 1,
    version: version.number,
    generation: "",
    shared: "",
    imageId: version.images[service],
    sequence: 0,
    starts: 0,
    forced: 0,
    createdAt_ms: version.at_ms,
    cause: "a one-off run was asked for",
    wanted: "running",
    wantedCause: "",
    wantedAt_ms: version.at_ms,
    restarts: [],
  };
}
