import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Clock } from "../../base/clock.ts";
import { BerthError, isCode } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import type { Volume, VolumeSpec } from "../../model/volume.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Locks } from "../../ports/locks.ts";
import type { VolumeService } from "../../ports/volume.ts";
import { mount, mountFlags, unmount } from "../linux/mount.ts";
import { errnoOf, namesIn, readJson, removeFile, syncDirectory, writeJson } from "../linux/state-files.ts";
import { directorySize_bytes } from "./directory-size.ts";
import { bindFlags, isBind, mountPlan, withAddress } from "./mount-options.ts";
import { isMountPoint } from "./mount-point.ts";

export interface LocalVolumesOptions {
  /** `<root>/volumes`. */
  directory: string;
  /** Who uses what now; on a file system that a reboot empties: `<run>/volumes`. */
  stateDirectory: string;
  locks: Locks;
  clock: Clock;
}

const run = promisify(execFile);

const anonymousLabel = "com.docker.volume.anonymous";

/**
 * Volumes on this host: `<directory>/<name>/_data`, described in `volume.json` beside it. A volume appears and goes by a rename, so that there is never half of
 * one; names that begin with "." are such steps under way or left by a kill.
 */
export class LocalVolumes implements VolumeService {
  readonly #options: LocalVolumesOptions;

  constructor(options: LocalVolumesOptions) {
    this.#options = options;
  }

  async create(spec: VolumeSpec, options: CallOptions = {}): Promise<Volume> {
    const name = spec.name || newId();
    // Whoever has to know the name beforehand marks it as Docker does.
    const anonymous = spec.name === "" || anonymousLabel in spec.labels;
    checkSpec({ ...spec, name });
    await using _lock = await this.#lock(name, options);
    const there = this.#find(name);
    if (there !== undefined) return sameOrConflict(there, spec);
    await this.#sweep();
    const createdAt = new Date(this.#options.clock.now_ms()).toISOString();
    const driver = spec.driver || "local";
    const labels = anonymous ? { [anonymousLabel]: "", ...spec.labels } : spec.labels;
    const volume: Volume = { ...spec, name, driver, labels, createdAt, anonymous, mountpoint: this.#data(name) };
    const { directory } = this.#options;
    const draft = join(directory, `.new-${name}`);
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(join(draft, "_data"), { recursive: true });
    chmodSync(draft, 0o701); // the data keep their own owners, whose processes must get through
    chmodSync(join(draft, "_data"), 0o755);
    writeJson(join(draft, "volume.json"), volume, { durable: true });
    renameSync(draft, this.#path(name));
    syncDirectory(directory);
    return volume;
  }

  async get(name: string): Promise<Volume> {
    const volume = this.#find(name);
    if (volume === undefined)
      throw new BerthError("not_found", `volume ${name} not found`, { hint: "see 'berth volume ls'" });
    return volume;
  }

  async list(): Promise<Volume[]> {
    return namesIn(this.#options.directory)
      .filter(name => !name.startsWith("."))
      .sort()
      .flatMap(name => this.#find(name) ?? []);
  }

  async remove(
    name: string,
    {
      force,
      inUse,
      ...options
    }: CallOptions & { force?: boolean; inUse: (name: string) => Promise<string | undefined> },
  ): Promise<void> {
    await using _lock = await this.#lock(name, options);
    if (this.#find(name) === undefined) {
      if (force) return;
      throw new BerthError("not_found", `could not remove the volume ${name}: there is none`, {
        hint: "see 'berth volume ls'",
      });
    }
    const user = (await inUse(name)) ?? this.#users(name)[0];
    if (user !== undefined) {
      throw new BerthError("in_use", `could not remove the volume ${name}: container ${user} uses it`, {
        hint: "remove the container first",
      });
    }
    await this.#delete(name);
  }

  async #delete(name: string): Promise<void> {
    // Before anything is deleted: what is mounted there is not ours to delete.
    if (isMountPoint(this.#data(name))) unmount(this.#data(name));
    const grave = join(this.#options.directory, `.removed-${newId()}`);
    renameSync(this.#path(name), grave);
    syncDirectory(this.#options.directory);
    await rm(grave, { recursive: true, force: true });
  }

  async prune({
    all,
    keep,
    inUse,
    ...options
  }: CallOptions & {
    all?: boolean;
    keep?: (volume: Volume) => boolean;
    inUse: (name: string) => Promise<string | undefined>;
  }): Promise<{ removed: string[]; reclaimed_bytes: number }> {
    const removed: string[] = [];
    let reclaimed_bytes = 0;
    for (const volume of await this.list()) {
      if ((!all && !volume.anonymous) || keep?.(volume)) continue;
      const size_bytes = await this.size_bytes(volume.name);
      try {
        await this.remove(volume.name, { ...options, inUse });
      } catch (thrown) {
        if (isCode(thrown, "in_use", "not_found")) continue;
        throw thrown;
      }
      removed.push(volume.name);
      reclaimed_bytes += size_bytes;
    }
    return { removed, reclaimed_bytes };
  }

  async attach(name: string, user: string, options: CallOptions = {}): Promise<string> {
    await using _lock = await this.#lock(name, options);
    const volume = await this.get(name);
    const path = this.#userPath(name, user);
    writeJson(path, user);
    try {
      await this.#mount(volume);
    } catch (thrown) {
      removeFile(path);
      throw thrown;
    }
    return volume.mountpoint;
  }

  async #mount({ name, options, mountpoint }: Volume): Promise<void> {
    let plan = mountPlan(name, options);
    if (plan === undefined || isMountPoint(mountpoint)) return;
    const what = `could not mount the volume ${name} (${plan.source})`;
    try {
      if (plan.addressToResolve) plan = withAddress(plan, (await lookup(plan.addressToResolve)).address);
      mount(plan.source, mountpoint, plan.type, plan.flags, plan.data);
      if (isBind(plan) && bindFlags(plan) !== 0) {
        mount(null, mountpoint, null, mountFlags.remount | mountFlags.bind | bindFlags(plan));
      }
    } catch (thrown) {
      if (isMountPoint(mountpoint)) unmount(mountpoint, { detach: true });
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      throw new BerthError("unavailable", `${what}: ${reason}`, {
        cause: thrown,
        hint: "check the volume's options type, o and device, and that the device can be reached",
      });
    }
  }

  async detach(name: string, user: string, options: CallOptions = {}): Promise<void> {
    await using _lock = await this.#lock(name, options);
    removeFile(this.#userPath(name, user));
    if (this.#users(name).length > 0 || !isMountPoint(this.#data(name))) return;
    unmount(this.#data(name), { detach: true });
  }

  async populate(name: string, sourcePath: string, { signal }: CallOptions = {}): Promise<void> {
    await using _lock = await this.#lock(name, { signal });
    const volume = await this.get(name);
    if (existsSync(join(this.#path(name), "populated")) || !statSync(sourcePath).isDirectory()) return;
    await this.#mount(volume);
    try {
      await this.#copyOnce(volume, sourcePath, signal);
    } finally {
      if (this.#users(name).length === 0 && isMountPoint(volume.mountpoint))
        unmount(volume.mountpoint, { detach: true });
    }
  }

  async #copyOnce({ name, mountpoint }: Volume, sourcePath: string, signal: AbortSignal | undefined): Promise<void> {
    const [begun, done] = [join(this.#path(name), "populating"), join(this.#path(name), "populated")];
    if (existsSync(begun)) {
      // A copy was killed. No container has seen the volume: it starts only after this.
      for (const entry of readdirSync(mountpoint)) rmSync(join(mountpoint, entry), { recursive: true, force: true });
    } else if (readdirSync(mountpoint).length > 0) {
      writeJson(done, true, { durable: true });
      return;
    }
    writeJson(begun, sourcePath, { durable: true });
    if (readdirSync(sourcePath).length > 0) await copyTree(name, sourcePath, mountpoint, signal);
    else copyOwner(sourcePath, mountpoint);
    renameSync(begun, done);
    syncDirectory(this.#path(name));
  }

  async size_bytes(name: string): Promise<number> {
    return directorySize_bytes((await this.get(name)).mountpoint);
  }

  #find(name: string): Volume | undefined {
    return /^[^./][^/]*$/.test(name) ? readJson<Volume>(join(this.#path(name), "volume.json")) : undefined;
  }

  /** What kills left: the rest of deletions, and drafts at which nobody is any more. */
  async #sweep(): Promise<void> {
    const { directory, locks } = this.#options;
    for (const entry of namesIn(directory)) {
      const path = join(directory, entry);
      if (entry.startsWith(".removed-")) rmSync(path, { recursive: true, force: true });
      if (!entry.startsWith(".new-")) continue;
      await using lock = locks.tryAcquire(this.#lockPath(entry.slice(".new-".length)));
      if (lock !== undefined) rmSync(path, { recursive: true, force: true });
    }
  }

  #lock(name: string, options: CallOptions) {
    const path = this.#lockPath(name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    mkdirSync(this.#options.directory, { recursive: true, mode: 0o711 });
    return this.#options.locks.acquire(path, options);
  }

  #lockPath(name: string): string {
    return join(this.#options.stateDirectory, "locks", `${encodeURIComponent(name)}.lock`);
  }

  #users(name: string): string[] {
    return namesIn(join(this.#options.stateDirectory, "users", name)).map(decodeURIComponent);
  }

  #userPath(name: string, user: string): string {
    return join(this.#options.stateDirectory, "users", name, encodeURIComponent(user));
  }

  #path(name: string): string {
    return join(this.#options.directory, name);
  }

  #data(name: string): string {
    return join(this.#path(name), "_data");
  }
}

function checkSpec(spec: VolumeSpec): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/.test(spec.name)) {
    throw new BerthError("invalid", `could not create a volume named "${spec.name}"`, {
      hint: "use letters, digits, '_', '.' and '-', beginning with a letter or digit; a host directory is written as an absolute path",
    });
  }
  if (spec.driver !== "" && spec.driver !== "local") {
    throw new BerthError(
      "unsupported",
      `could not create the volume ${spec.name}: there is no volume driver "${spec.driver}"`,
      {
        hint: "use the driver local",
      },
    );
  }
  mountPlan(spec.name, spec.options);
}

/** Labels may differ: what is there stays as it is, as with Docker. */
function sameOrConflict(there: Volume, spec: VolumeSpec): Volume {
  const text = (options: Record<string, string>) => JSON.stringify(Object.entries(options).sort());
  if (
    there.driver === (spec.driver || "local") &&
    (text(there.options) === text(spec.options) || Object.keys(spec.options).length === 0)
  )
    return there;
  throw new BerthError(
    "conflict",
    `could not create the volume ${spec.name}: there is one with other options (${text(there.options)})`,
    {
      hint: "choose another name, or remove that volume first",
    },
  );
}

/** All there is to copy of an empty directory, without a process for it. */
function copyOwner(from: string, to: string): void {
  const { uid, gid, mode } = statSync(from);
  chownSync(to, uid, gid);
  chmodSync(to, mode & 0o7777);
}

/** With owners, modes, times, links and extended attributes; the root's own too. */
async function copyTree(name: string, from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await run("cp", ["-a", "--reflink=auto", "--", `${from}/.`, to], { signal });
  } catch (thrown) {
    signal?.throwIfAborted();
    const words =
      thrown instanceof Error && "stderr" in thrown ? String(thrown.stderr).trim().slice(0, 2000) : errnoOf(thrown);
    const full = words?.includes("No space left on device");
    throw new BerthError(
      full ? "exhausted" : "internal",
      `could not copy the image's files into the volume ${name}: ${words}`,
      {
        cause: thrown,
        hint: full ? "free space with 'berth system prune'" : undefined,
      },
    );
  }
}
