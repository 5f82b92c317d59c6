import { join } from "node:path";
import type { Endpoint } from "../../model/container.ts";
import { namesIn, readJson, recordsIn, removeFile, writeJson } from "../linux/state-files.ts";

/** What is recorded of a container in a network before anything is changed in the kernel. */
export interface EndpointRecord {
  containerId: string;
  containerName: string;
  netnsPath: string;
  /** Kernel name of the end in the bridge; "" for host and none. */
  hostInterface: string;
  /** Of the network at that time: no way out. */
  internal: boolean;
  /** Who answers for names that no container has; absent: the host's nameservers. */
  nameservers?: string[];
  /** "container[:alias]": further names that resolve for this container alone. */
  links?: string[];
  /** "80/tcp" or "8000-8010/udp": SRV records answer with them; their names are in endpoint.requested. */
  exposedPorts?: string[];
  endpoint: Endpoint;
}

/** `<state>/endpoints/<network id>/<container id>.json`. */
export class EndpointFiles {
  readonly #directory: string;

  constructor(stateDirectory: string) {
    this.#directory = join(stateDirectory, "endpoints");
  }

  write(record: EndpointRecord): void {
    writeJson(this.#path(record.endpoint.networkId, record.containerId), record);
  }

  read(networkId: string, containerId: string): EndpointRecord | undefined {
    return readJson(this.#path(networkId, containerId));
  }

  remove(networkId: string, containerId: string): void {
    removeFile(this.#path(networkId, containerId));
  }

  ofNetwork(networkId: string): EndpointRecord[] {
    return recordsIn<EndpointRecord>(join(this.#directory, networkId)).map(({ record }) => record);
  }

  ofContainer(containerId: string): EndpointRecord[] {
    return this.networks().flatMap(networkId => this.read(networkId, containerId) ?? []);
  }

  containersOf(networkId: string): string[] {
    return namesIn(join(this.#directory, networkId)).map(name => name.replace(/\.json$/, ""));
  }

  isEmpty(networkId: string): boolean {
    return namesIn(join(this.#directory, networkId)).length === 0;
  }

  networks(): string[] {
    return namesIn(this.#directory);
  }

  #path(networkId: string, containerId: string): string {
    return join(this.#directory, networkId, `${containerId}.json`);
  }
}
