import { BerthError } from "../../base/errors.ts";
import type { ContainerSpec, NamespaceModes } from "../../model/container.ts";
import type { EngineContext } from "../context.ts";
import { isRunning, look } from "./look.ts";

export type NetworkMode =
  | { kind: "host" }
  | { kind: "none" }
  | { kind: "container"; reference: string }
  | { kind: "networks" };

export function networkMode(spec: ContainerSpec): NetworkMode {
  const mode = spec.namespaces.network ?? "";
  if (mode === "host" || mode === "none") return { kind: mode };
  if (mode.startsWith("container:")) return { kind: "container", reference: mode.slice("container:".length) };
  return { kind: "networks" };
}

/** The container that a mode "container:<reference>" shares with. */
export function sharedWith(mode: string | undefined): string | undefined {
  return mode?.startsWith("container:") ? mode.slice("container:".length) : undefined;
}

export interface Donor {
  id: string;
  name: string;
  pid: number;
}

/** The running container whose namespace is joined. Throws `conflict` when it does not run. */
export function donor(context: EngineContext, kind: keyof NamespaceModes, reference: string): Donor {
  const id = context.store.find(reference);
  const seen = look(context, id);
  const { name } = context.store.config(id);
  if (!isRunning(seen)) {
    throw new BerthError("conflict", `cannot join the ${kind} namespace of container ${name}: it is not running`, {
      hint: `start it first: berth start ${name}`,
    });
  }
  return { id, name, pid: seen.stored.pid };
}
