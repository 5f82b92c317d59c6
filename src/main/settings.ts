import { join } from "node:path";
import type { Environment } from "../base/env.ts";
import { BerthError } from "../base/errors.ts";

/** Where a program finds its host's engine. */
export interface HostSettings {
  /** What survives a reboot: images, containers, volumes. */
  root: string;
  /** What does not: sockets, locks, mounts' bookkeeping. */
  run: string;
  /** Several engines on one machine are told apart by it, in names of bridges, cgroups and tables; "" is the machine's own. */
  instance: string;
  debug: boolean;
  /** HOST:PORT for berthd's registry; absent: as its configuration file says. */
  registry?: string;
}

const flags = { "--root": "root", "--run": "run", "--instance": "instance", "--registry": "registry" } as const;

/**
 * Options before the command (`berth --root DIR ps`), then BERTH_ROOT, BERTH_RUN and BERTH_INSTANCE, then the machine's own directories.
 * A root of one's own without a run directory gets that from the instance name.
 */
export function readSettings(argv: string[], environment: Environment): { settings: HostSettings; rest: string[] } {
  const given: Partial<HostSettings> = {};
  const rest = [...argv];
  while (rest[0]?.startsWith("--")) {
    const [name = "", inline] = rest[0].split(/=(.*)/s);
    if (name === "--debug") given.debug = true;
    else if (name in flags) {
      const value = inline ?? rest.splice(1, 1)[0];
      if (!value) throw new BerthError("invalid", `${name} needs a value`);
      given[flags[name as keyof typeof flags]] = value;
    } else break;
    rest.shift();
  }
  const instance = given.instance ?? environment["BERTH_INSTANCE"] ?? "";
  if (!/^[a-z0-9]{0,12}$/.test(instance)) {
    throw new BerthError("invalid", `the instance name "${instance}" is not 1 to 12 lower-case letters and digits`);
  }
  const suffix = instance === "" ? "" : `-${instance}`;
  return {
    settings: {
      root: given.root ?? environment["BERTH_ROOT"] ?? `/var/lib/berth${suffix}`,
      run: given.run ?? environment["BERTH_RUN"] ?? `/run/berth${suffix}`,
      instance,
      registry: given.registry,
      debug: given.debug ?? environment["BERTH_DEBUG"] !== undefined,
    },
    rest,
  };
}

/** The settings as options before a command, for programs that are started on behalf of this one. */
export function settingsAsFlags(settings: HostSettings): string[] {
  const instance = settings.instance === "" ? [] : ["--instance", settings.instance];
  return ["--root", settings.root, "--run", settings.run, ...instance];
}

export const storeDirectory = (settings: HostSettings) => join(settings.root, "store");
export const storePath = (settings: HostSettings) => join(storeDirectory(settings), "berth.db");

export const socketPath = (settings: HostSettings) => join(settings.run, "berthd.sock");
