import type { Volume, VolumeSpec } from "../model/volume.ts";
import type { CallOptions } from "./content.ts";

export interface VolumeService {
  /** Same name, driver and options: returns the existing one. Different: throws `conflict`. */
  create(spec: VolumeSpec, options?: CallOptions): Promise<Volume>;
  get(name: string): Promise<Volume>;
  list(): Promise<Volume[]>;
  /** `inUse` names a container that needs it; throws `in_use`. `force` ignores a volume that is not there. */
  remove(
    name: string,
    options: CallOptions & { force?: boolean; inUse: (name: string) => Promise<string | undefined> },
  ): Promise<void>;
  prune(
    options: CallOptions & {
      all?: boolean;
      keep?: (volume: Volume) => boolean;
      inUse: (name: string) => Promise<string | undefined>;
    },
  ): Promise<{ removed: string[]; reclaimed_bytes: number }>;
  /** Makes the data usable at the returned host path (mounts it where the driver options say so), once for each `user`. */
  attach(name: string, user: string, options?: CallOptions): Promise<string>;
  detach(name: string, user: string, options?: CallOptions): Promise<void>;
  /** Copies what the image has at the target into an empty volume, with owners and modes; runs once, survives kill -9 (copy, then rename marker). */
  populate(name: string, sourcePath: string, options?: CallOptions): Promise<void>;
  size_bytes(name: string): Promise<number>;
}
