/** What a host says about itself when it registers. */
export interface HostFacts {
  name: string;
  os: string;
  operatingSystem: string;
  kernel: string;
  architecture: string;
  cpus: number;
  memory_bytes: number;
  engine: string;
  engineVersion: string;
  runtime: string;
  storageDriver: string;
  /** Labels that the host gives itself. */
  labels: Record<string, string>;
  /** Generic resources offered, by kind. */
  resources: Record<string, number>;
  /** Changes with each start of the host's operating system. */
  bootId: string;
}

/** Written by the host's registration. */
export interface Host {
  id: string;
  facts: HostFacts;
  state: "up" | "down";
  seenAt_ms: number;
}

/** Wanted of a host; written by its administrators. Absent: active, no labels. */
export interface HostWish {
  availability: "active" | "pause" | "drain";
  labels: Record<string, string>;
}
