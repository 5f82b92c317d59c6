import { existsSync, readdirSync, readlinkSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { Locks } from "../../ports/locks.ts";
import type { Paths } from "./paths.ts";

/** Names of containers: one symbolic link each, so that two makers of one name are told apart by the kernel. */
export class NameTable {
  readonly #paths: Paths;
  readonly #locks: Locks;

  constructor(paths: Paths, locks: Locks) {
    this.#paths = paths;
    this.#locks = locks;
  }

  holder(name: string): string | undefined {
    if (name === "" || name.includes("/")) return undefined;
    try {
      return readlinkSync(join(this.#paths.names, name));
    } catch (thrown) {
      const code = (thrown as NodeJS.ErrnoException).code;
      if (code === "ENOENT" || code === "EINVAL") return undefined;
      throw thrown;
    }
  }

  /** Throws `already_exists`. A name whose holder died while making its container is taken over. */
  async claim(name: string, id: string): Promise<void> {
    if (this.#link(name, id)) return;
    const holder = this.holder(name);
    if (holder === id) return;
    if (holder !== undefined && this.#isLive(holder)) throw taken(name, holder);
    // Two may want the stale name: only under this lock may it be taken from its dead holder.
    await using _ = await this.#locks.acquire(join(this.#paths.root, "names.lock"));
    const again = this.holder(name);
    if (again !== undefined && this.#isLive(again)) throw taken(name, again);
    this.release(name, again ?? "");
    if (!this.#link(name, id)) throw taken(name, this.holder(name) ?? "");
  }

  /** Only where `id` holds it. */
  release(name: string, id: string): void {
    if (this.holder(name) !== id) return;
    try {
      unlinkSync(join(this.#paths.names, name));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
    }
  }

  all(): Map<string, string> {
    const names = readdirSync(this.#paths.names);
    return new Map(names.map(name => [name, this.holder(name) ?? ""]));
  }

  /** Its container is there, or somebody is making it at this moment. */
  #isLive(id: string): boolean {
    return existsSync(this.#paths.container(id)) || this.#locks.isHeld(join(this.#paths.creating, id, "lock"));
  }

  #link(name: string, id: string): boolean {
    try {
      symlinkSync(id, join(this.#paths.names, name));
      return true;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw thrown;
    }
  }
}

function taken(name: string, holder: string): BerthError {
  return new BerthError("already_exists", `the name "${name}" is in use by container ${holder.slice(0, 12)}`, {
    hint: `remove or rename that container ('berth rm ${name}'), or choose another name`,
    details: { holder },
  });
}
