import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { StepMount } from "../../ports/build.ts";
import type { Lock, Locks } from "../../ports/locks.ts";
import { hashOf } from "../cache/keys.ts";
import type { StepMountPlan } from "../graph/steps.ts";
import { diskView, resolveInRoot } from "../tree/resolve.ts";
import type { BuildSession } from "./parts.ts";
import { openTree } from "./views.ts";

const mostCopies = 1000;

export interface OpenCacheMount extends AsyncDisposable {
  mount: StepMount;
}

/** A cache as it lies on disk: `data` is what steps see, `lock` is held while one does. */
function cachePath(root: string, id: string, copy: number): string {
  return join(root, "mounts", hashOf("mount", id).slice(0, 32) + (copy === 0 ? "" : `-${copy}`));
}

/**
 * shared: many steps at once. locked: one at a time, the others wait. private: a step that finds the cache in use gets another one.
 * A cache outlives builds; it is no part of any image.
 */
export async function openCacheMount(session: BuildSession, mount: StepMountPlan): Promise<OpenCacheMount> {
  const { parts, signal } = session;
  const { lock, path } = await hold(parts.root, parts.locks, mount, signal);
  try {
    const data = join(path, "data");
    if (!existsSync(data)) await makeData(session, mount, path);
    utimesSync(path, parts.clock.now_ms() / 1000, parts.clock.now_ms() / 1000);
    return {
      mount: { kind: "bind", source: data, target: mount.target, readOnly: mount.readOnly },
      [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
    };
  } catch (thrown) {
    await lock[Symbol.asyncDispose]();
    throw thrown;
  }
}

async function hold(
  root: string,
  locks: Locks,
  mount: StepMountPlan,
  signal: AbortSignal,
): Promise<{ lock: Lock; path: string }> {
  for (let copy = 0; ; copy++) {
    const path = cachePath(root, mount.id, copy);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const lockPath = join(path, "lock");
    if (mount.sharing !== "private" || copy >= mostCopies) {
      return { lock: await locks.acquire(lockPath, { shared: mount.sharing === "shared", signal }), path };
    }
    const lock = locks.tryAcquire(lockPath);
    if (lock) return { lock, path };
  }
}

/** Made aside and renamed, so that two steps that share a new cache see it whole. */
async function makeData(session: BuildSession, mount: StepMountPlan, path: string): Promise<void> {
  const fresh = join(path, `new-${session.id}-${session.next()}`);
  if (mount.from) {
    await using source = await openTree(session, mount.from);
    const { path: inside, stat } = resolveInRoot(diskView(source.tree.root), mount.source);
    if (stat?.isDirectory())
      cpSync(join(source.tree.root, inside), fresh, {
        recursive: true,
        preserveTimestamps: true,
        verbatimSymlinks: true,
      });
  }
  mkdirSync(fresh, { recursive: true });
  chmodSync(fresh, mount.mode ?? 0o755);
  chownSync(fresh, mount.uid, mount.gid);
  writeFileSync(join(path, "id"), mount.id, { mode: 0o600 });
  try {
    renameSync(fresh, join(path, "data"));
  } catch (thrown) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(join(path, "data"))) throw thrown;
  }
}

export interface CacheMountInfo {
  name: string;
  path: string;
  id: string;
  lastUsedAt_ms: number;
  inUse: boolean;
}

export function listCacheMounts(root: string, locks: Locks): CacheMountInfo[] {
  const folder = join(root, "mounts");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (!existsSync(join(path, "id"))) return [];
    const lock = locks.tryAcquire(join(path, "lock"));
    void lock?.[Symbol.asyncDispose]();
    return [
      {
        name,
        path,
        id: readFileSync(join(path, "id"), "utf8"),
        lastUsedAt_ms: statSync(path).mtimeMs,
        inUse: lock === undefined,
      },
    ];
  });
}
