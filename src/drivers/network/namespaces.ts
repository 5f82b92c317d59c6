import { closeSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { unmountIfMounted } from "../linux/mount.ts";
import { createNetworkNamespace, inNetworkNamespace } from "../linux/namespace.ts";
import { errnoOf, namesIn } from "../linux/state-files.ts";
import { setUp } from "../netlink/links.ts";
import { NetlinkSocket } from "../netlink/netlink-socket.ts";

/** Network namespaces of containers, kept alive by bind mounts on `<state>/netns/<container id>`. */
export class Namespaces {
  readonly #directory: string;

  constructor(stateDirectory: string) {
    this.#directory = join(stateDirectory, "netns");
  }

  path(containerId: string): string {
    return join(this.#directory, containerId);
  }

  /** Makes it, with loopback up, or finds it. */
  ensure(containerId: string): string {
    const path = this.path(containerId);
    if (!isNamespace(path)) {
      this.#makeFile(path);
      createNetworkNamespace(path);
    }
    using socket = inNetworkNamespace(path, () => new NetlinkSocket());
    socket.run([setUp({ name: "lo" })]);
    return path;
  }

  #makeFile(path: string): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    closeSync(openSync(path, "w", 0o600));
  }

  /** The kernel takes the namespace and its interfaces apart when the last process in it has ended. */
  delete(containerId: string): void {
    const path = this.path(containerId);
    unmountIfMounted(path);
    rmSync(path, { force: true });
  }

  list(): string[] {
    return namesIn(this.#directory);
  }
}

/** A mount of the kernel's nsfs is on another device than the file below it. */
export function isNamespace(path: string): boolean {
  try {
    return statSync(path).dev === statSync("/proc/self/ns/net").dev;
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return false;
    throw thrown;
  }
}
