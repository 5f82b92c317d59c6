export interface VolumeSpec {
  /** Empty: an anonymous volume with a random name. */
  name: string;
  driver: string;
  options: Record<string, string>;
  labels: Record<string, string>;
}

export interface Volume extends VolumeSpec {
  createdAt: string;
  /** Host path of the data. */
  mountpoint: string;
  anonymous: boolean;
}
