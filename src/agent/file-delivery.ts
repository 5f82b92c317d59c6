import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../base/errors.ts";
import type { FileGrant, Service } from "../model/service.ts";
import type { DeliveredFile } from "../wire/host-link.ts";

/** Compose Specification, secrets and configs: readable by all where nothing is said. */
const defaultMode = 0o444;

/**
 * Writes granted secrets and configs for containers to mount. `root` must be in memory (a tmpfs): contents are never on a disk in the clear, and are
 * written again before each start, since they do not outlive the host.
 */
export class FileDelivery {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Host paths by "secret/KEY/TARGET" and "config/KEY/TARGET". `owner` is the task that the container was made for. */
  paths(owner: string, service: Service): Map<string, string> {
    const paths = new Map<string, string>();
    for (const { kind, grant, index } of grantsOf(service)) {
      paths.set(`${kind}/${grant.source}/${grant.target}`, join(this.#root, owner, `${kind}-${index}`));
    }
    return paths;
  }

  write(owner: string, service: Service, files: DeliveredFile[]): void {
    const directory = join(this.#root, owner);
    mkdirSync(directory, { recursive: true, mode: 0o711 });
    for (const { kind, grant, index } of grantsOf(service)) {
      const file = files.find(found => found.kind === kind && found.source === grant.source);
      if (!file) throw new BerthError("not_found", `delivering ${kind} ${grant.source}: the server did not send it`);
      const path = join(directory, `${kind}-${index}`);
      const temporary = `${path}.new`;
      writeFileSync(temporary, file.content, { mode: 0o600 });
      chownSync(temporary, numberOf(grant.uid, kind, grant), numberOf(grant.gid, kind, grant));
      chmodSync(temporary, grant.mode ?? defaultMode);
      renameSync(temporary, path);
    }
  }

  remove(owner: string): void {
    rmSync(join(this.#root, owner), { recursive: true, force: true });
  }
}

/** A service with no grants needs nothing from the server. */
export function hasGrants(service: Service): boolean {
  return service.secrets.length + service.configs.length > 0;
}

function grantsOf(service: Service): { kind: "secret" | "config"; grant: FileGrant; index: number }[] {
  return [
    ...service.secrets.map((grant, index) => ({ kind: "secret" as const, grant, index })),
    ...service.configs.map((grant, index) => ({ kind: "config" as const, grant, index })),
  ];
}

function numberOf(id: string | undefined, kind: string, grant: FileGrant): number {
  if (id === undefined || id === "") return 0;
  if (/^\d{1,10}$/.test(id)) return Number(id);
  throw new BerthError("invalid", `delivering ${kind} ${grant.source}: owner "${id}" is not a number`, {
    hint: "give uid and gid as numbers: the names in the image are not known to the host",
  });
}
