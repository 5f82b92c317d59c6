import type { AppVersion } from "../model/app-record.ts";
import type { MountSpec, PortSpec } from "../model/container.ts";
import type { CallOptions } from "./content.ts";

/** What a one-off task has otherwise than its service. */
export interface OneOffChanges {
  command?: string[];
  entrypoint?: string[];
  /** NAME=VALUE, after the service's own. */
  env?: string[];
  labels?: Record<string, string>;
  name?: string;
  user?: string;
  workingDir?: string;
  tty?: boolean;
  openStdin?: boolean;
  capAdd?: string[];
  capDrop?: string[];
  mounts?: MountSpec[];
  ports?: PortSpec[];
  /** Publish the service's ports too: they must be free. */
  servicePorts?: boolean;
  /** Answer to the service's names in its networks. */
  useAliases?: boolean;
  autoRemove?: boolean;
}

export interface OneOff extends OneOffChanges {
  /** Made-up version: it is not in the store. */
  version: AppVersion;
  service: string;
  files: { kind: "secret" | "config"; source: string; content: Buffer }[];
}

export interface MadeOneOff {
  id: string;
  name: string;
  warnings: string[];
}

/** Containers made from a service outside its tasks, for one command. Whoever asked starts and watches it. */
export interface OneOffs {
  /** Not started. Networks and volumes of the app that are missing are made. */
  make(oneOff: OneOff, options?: CallOptions): Promise<MadeOneOff>;
  /** All of an app, running ones too; with `resources` also its networks. Returns what was removed. */
  removeAll(app: string, options?: CallOptions & { resources?: boolean }): Promise<string[]>;
}
