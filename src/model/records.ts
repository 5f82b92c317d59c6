import type { NetworkSpec } from "./network.ts";
import type { VolumeSpec } from "./volume.ts";

/** A network that an app wants on the hosts of its tasks; written by control. */
export interface NetworkRecord {
  app: string;
  spec: NetworkSpec;
  /** Of the spec: a host whose network differs makes it anew. */
  hash: string;
  /** No task needs it any more: hosts remove theirs, then the record goes. */
  removing?: boolean;
}

export interface VolumeRecord {
  app: string;
  spec: VolumeSpec;
  hash: string;
  /** Hash of the definition whose volume, with its data, a user agreed to lose for this one. Without it, a volume that exists is taken as it is. */
  replaces?: string;
  removing?: boolean;
}

/** What one host has of a network or volume; written by that host. */
export interface ResourceStatus {
  state: "present" | "removed" | "failed";
  hash: string;
  message: string;
  at_ms: number;
}

/** The content of a secret or config, encrypted; immutable, named by a keyed hash of its content. */
export interface StoredFile {
  /** Absent for those that stand for themselves (`berth secret create`). */
  app?: string;
  name: string;
  labels: Record<string, string>;
  createdAt_ms: number;
  /** base64 of nonce, ciphertext and tag (AES-256-GCM). */
  sealed: string;
  /** Which key sealed it, so that a rotated key is told from a wrong one. */
  keyId: string;
}
