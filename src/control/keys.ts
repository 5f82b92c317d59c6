/** The store's keys, and what is under them. Names of apps and services have no slash. */
export const prefixes = {
  app: "app/",
  version: "version/",
  outcome: "outcome/",
  task: "task/",
  status: "status/",
  rollout: "rollout/",
  schedule: "schedule/",
  host: "host/",
  hostWish: "hostwish/",
  network: "network/",
  volume: "volume/",
  hostNetwork: "hostnetwork/",
  hostVolume: "hostvolume/",
  file: "file/",
  lock: "lock/",
} as const;

export type Kind = keyof typeof prefixes;

export const keys = {
  app: (app: string) => `app/${app}`,
  version: (app: string, number: number) => `version/${app}/${String(number).padStart(8, "0")}`,
  outcome: (app: string, number: number) => `outcome/${app}/${String(number).padStart(8, "0")}`,
  task: (id: string) => `task/${id}`,
  status: (id: string) => `status/${id}`,
  rollout: (app: string, service: string) => `rollout/${app}/${service}`,
  schedule: (app: string, service: string) => `schedule/${app}/${service}`,
  host: (id: string) => `host/${id}`,
  hostWish: (id: string) => `hostwish/${id}`,
  network: (name: string) => `network/${name}`,
  volume: (name: string) => `volume/${name}`,
  hostNetwork: (host: string, name: string) => `hostnetwork/${host}/${name}`,
  hostVolume: (host: string, name: string) => `hostvolume/${host}/${name}`,
  file: (id: string) => `file/${id}`,
  lock: (app: string) => `lock/${app}`,
};

const kinds = Object.fromEntries(Object.entries(prefixes).map(([kind, prefix]) => [prefix.slice(0, -1), kind as Kind]));

/** ["task", "3f2a…"]; the rest may have slashes. Undefined for a key that is none of ours. */
export function splitKey(key: string): [Kind, string] | undefined {
  const slash = key.indexOf("/");
  const kind = kinds[key.slice(0, slash)];
  return kind && [kind, key.slice(slash + 1)];
}
