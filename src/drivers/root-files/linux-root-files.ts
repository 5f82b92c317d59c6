import { constants, fstatSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { pack } from "tar-stream";
import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { PathStat } from "../../ports/engine.ts";
import type { RootFiles, UnpackOptions } from "../../ports/root-files.ts";
import { makeDirectoryInRoot } from "./make-directory.ts";
import { openInRoot, openRoot, pathError } from "./open-in-root.ts";
import { packEntries, packTree } from "./pack-tree.ts";
import { openParent, resolveInRoot, statInRoot } from "./path-stat.ts";
import { unpackTree } from "./unpack-tree.ts";

/** RootFiles by openat2(2) with RESOLVE_IN_ROOT: no helper process, no chroot. */
export class LinuxRootFiles implements RootFiles {
  async stat(root: string, path: string): Promise<PathStat> {
    using top = openRoot(root);
    return this.#named(path, () => statInRoot(top, path));
  }

  async resolve(root: string, path: string): Promise<string> {
    using top = openRoot(root);
    return this.#named(path, () => resolveInRoot(top, path));
  }

  pack(root: string, path: string, options: CallOptions & { as?: string; skip?: ReadonlySet<string> } = {}): Readable {
    const archive = pack();
    const { as = posix.basename(posix.normalize(`/${path}`)), skip = new Set<string>(), signal } = options;
    const context = { pack: archive, signal, skip, links: new Map<string, string>() };
    const walk = async () => {
      using top = openRoot(root);
      if (as === "") {
        using directory = openInRoot(top, path, constants.O_RDONLY | constants.O_DIRECTORY);
        await packEntries(context, directory, "");
      } else {
        const { parent, name } = openParent(top, /\/\.?$/.test(path) ? resolveInRoot(top, path) : path);
        using _parent = parent;
        await packTree(context, parent, name, as);
      }
      archive.finalize();
    };
    walk().catch(thrown => archive.destroy(pathError(thrown, path) as Error));
    return archive as unknown as Readable;
  }

  async unpack(root: string, path: string, tar: Readable, options: UnpackOptions = {}): Promise<void> {
    try {
      using top = openRoot(root);
      openInRoot(top, path, constants.O_RDONLY | constants.O_DIRECTORY)[Symbol.dispose]();
      await unpackTree(top, path, tar, options);
    } catch (thrown) {
      throw pathError(thrown, path);
    }
  }

  async read(root: string, path: string, limit_bytes: number): Promise<Buffer | undefined> {
    using top = openRoot(root);
    try {
      using file = openInRoot(top, path, constants.O_RDONLY | constants.O_NONBLOCK);
      const stats = fstatSync(file.fd);
      if (!stats.isFile()) return undefined;
      if (stats.size > limit_bytes) throw new BerthError("exhausted", `${path} has more than ${limit_bytes} bytes`);
      return readFileSync(file.fd);
    } catch (thrown) {
      const code = (thrown as NodeJS.ErrnoException).code;
      if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "ENXIO") return undefined;
      throw thrown;
    }
  }

  async makeDirectory(root: string, path: string): Promise<void> {
    using top = openRoot(root);
    this.#named(path, () => makeDirectoryInRoot(top, posix.normalize(`/${path}`)));
  }

  #named<T>(path: string, work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw pathError(thrown, path);
    }
  }
}
