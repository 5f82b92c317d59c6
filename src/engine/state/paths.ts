import { join } from "node:path";

/** Where the engine keeps what. `root` survives a reboot; `run` is for what dies with the host's kernel. */
export class Paths {
  readonly root: string;
  readonly run: string;

  constructor(root: string, run: string) {
    this.root = root;
    this.run = run;
  }

  /** Containers that exist: a directory each. */
  get containers(): string {
    return join(this.root, "containers");
  }
  /** Half-made ones; the maker holds the lock inside. */
  get creating(): string {
    return join(this.root, "creating");
  }
  /** Half-removed ones; the remover holds the lock inside. */
  get removing(): string {
    return join(this.root, "removing");
  }
  /** A symbolic link for each name, pointing to an id: claimed by symlink(2), which never replaces. */
  get names(): string {
    return join(this.root, "names");
  }

  /** A file for each container that has legacy links. */
  get linking(): string {
    return join(this.root, "linking");
  }

  container(id: string): string {
    return join(this.containers, id);
  }
  lock(id: string): string {
    return join(this.containers, id, "lock");
  }
  logDirectory(id: string): string {
    return join(this.containers, id, "log");
  }
  log(id: string): string {
    return join(this.containers, id, "log", "container.log");
  }
  file(id: string, name: "hosts" | "hostname" | "resolv.conf"): string {
    return join(this.containers, id, name);
  }

  /** There from the moment that a start begins until the last of a run is cleaned up: its presence means that something may have to be. */
  bundle(id: string): string {
    return join(this.run, "containers", id);
  }
  get bundles(): string {
    return join(this.run, "containers");
  }
  /** Locked by the starter, then by the monitor: held means that somebody looks after the process. */
  alive(id: string): string {
    return join(this.bundle(id), "alive");
  }
  /** Locked by a process that has promised to finish this container's exit. */
  keeper(id: string): string {
    return join(this.bundle(id), "keeper");
  }
  health(id: string): string {
    return join(this.bundle(id), "health.json");
  }
  shm(id: string): string {
    return join(this.bundle(id), "shm");
  }
  /** Execs of this run, a directory each. */
  execs(id: string): string {
    return join(this.bundle(id), "execs");
  }
  /** A link for each exec, to its directory. */
  get execIndex(): string {
    return join(this.run, "execs");
  }
  get events(): string {
    return join(this.run, "events");
  }
  get supervisorLock(): string {
    return join(this.run, "supervisor.lock");
  }
  get bootId(): string {
    return join(this.run, "boot-id");
  }
  get exitScript(): string {
    return join(this.run, "on-exit");
  }
}
