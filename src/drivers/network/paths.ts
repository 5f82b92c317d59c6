import { statSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";

export interface NetworkDirectories {
  /** Definitions; survive a reboot: `<root>/networks`. */
  definitions: string;
  /** What is up now; on a file system that a reboot empties: `<run>/network`. */
  state: string;
  /** Shared by all instances of Berth on this machine that see the same network: claims of subnets and ports. */
  hostWide: string;
}

/**
 * Where instances on one machine meet. Programs in different network namespaces (several "hosts" on one machine) do not share subnets and ports, so the
 * directory is named after the namespace of this process.
 */
export function hostWideDirectory(base = "/run/berth-host"): string {
  return join(base, `net-${statSync("/proc/self/ns/net").ino}`);
}

/** Names that the kernel and nft see. An instance name keeps several instances on one machine apart. */
export class KernelNames {
  readonly #instance: string;

  constructor(instance: string) {
    if (!/^[a-z0-9]{0,12}$/.test(instance)) {
      throw new BerthError("invalid", `could not use the instance name "${instance}" for interfaces`, {
        hint: "use at most 12 lower-case letters and digits",
      });
    }
    this.#instance = instance;
  }

  get table(): string {
    return this.#instance === "" ? "berth" : `berth-${this.#instance}`;
  }

  get defaultBridge(): string {
    return this.#instance === "" ? "berth0" : `b${this.#instance}0`;
  }

  bridge(networkId: string): string {
    return `bt-${networkId.slice(0, 12)}`;
  }

  hostInterface(endpointId: string): string {
    return `vt-${endpointId.slice(0, 12)}`;
  }

  /** Written to each interface, so that it tells whose it is when all records are lost. */
  alias(networkId: string, containerId?: string): string {
    return ["berth", this.#instance, networkId, ...(containerId === undefined ? [] : [containerId])].join(":");
  }

  /** Undefined for what is not this instance's. */
  parseAlias(alias: string): { networkId: string; containerId?: string } | undefined {
    const [program, instance, networkId, containerId] = alias.split(":");
    if (program !== "berth" || instance !== this.#instance || networkId === undefined) return undefined;
    return { networkId, containerId };
  }
}
