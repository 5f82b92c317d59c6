export interface MountEntry {
  target: string;
  source: string;
  type: string;
}

/** The host's mount table. */
export interface Mounts {
  /** Makes `target` and mounts a tmpfs there; does nothing where one is mounted already. */
  tmpfs(target: string, options: { size_bytes: number; mode: number }): void;
  /** Detaches at once, also when in use; true if something was mounted. */
  unmount(target: string): boolean;
  /** Mounts at or below `path`, deepest first. */
  under(path: string): MountEntry[];
}
