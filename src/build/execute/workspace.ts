import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { BuilderParts } from "./parts.ts";

/** What a build has to itself while it runs; the lock says that it still does. */
export interface Workspace extends AsyncDisposable {
  id: string;
  tempPath: string;
}

function tempFolder(parts: BuilderParts): string {
  return join(parts.root, "tmp");
}

export async function workspace(parts: BuilderParts, id: string): Promise<Workspace> {
  const folder = join(tempFolder(parts), id);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = await parts.locks.acquire(join(folder, "lock"));
  const tempPath = join(folder, "files");
  mkdirSync(tempPath);
  return {
    id,
    tempPath,
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
      await lock[Symbol.asyncDispose]();
    },
  };
}

/** Removes what builds left that were killed: their containers, roots and files. Builds that run keep theirs: they hold their lock. */
export async function sweepLeftovers(parts: BuilderParts): Promise<void> {
  const folder = tempFolder(parts);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const alive = new Set<string>();
  const dead: string[] = [];
  for (const id of readdirSync(folder)) {
    if (parts.locks.isHeld(join(folder, id, "lock"))) alive.add(id);
    else dead.push(id);
  }
  const isLeftover = (name: string) => {
    const id = /^build-([0-9a-f]{12})-\d+$/.exec(name)?.[1];
    return id !== undefined && !alive.has(id);
  };
  await parts.runner.sweep(isLeftover);
  for (const root of await parts.layers.roots()) if (isLeftover(root)) await parts.layers.removeRoot(root);
  mkdirSync(parts.runPath, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(parts.runPath))
    if (isLeftover(name)) rmSync(join(parts.runPath, name), { recursive: true, force: true });
  for (const id of dead) rmSync(join(folder, id), { recursive: true, force: true });
}
