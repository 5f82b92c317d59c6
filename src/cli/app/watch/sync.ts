import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { posix, relative } from "node:path";
import type { Readable } from "node:stream";
import tar from "tar-stream";
import { isCode } from "../../../base/errors.ts";
import type { WatchRule } from "../../../model/service.ts";
import type { CliContext } from "../../context.ts";
import type { MadeTask } from "../tasks.ts";
import type { Changes } from "./tree.ts";

/** Brings changes of a rule's files into the running tasks. */
export async function sync(context: CliContext, tasks: MadeTask[], rule: WatchRule, changes: Changes): Promise<void> {
  const { containers } = await context.engine();
  const target = (path: string) => posix.join(rule.target!, relative(rule.path, path));
  for (const { containerId } of tasks) {
    if (changes.removed.length > 0) {
      await runIn(context, containerId, { args: ["rm", "-rf", "--", ...changes.removed.map(target)] });
    }
    if (changes.changed.length > 0) {
      await containers.writeArchive(containerId, "/", pack(changes.changed, target), { signal: context.signal });
    }
  }
}

/** Runs a command to its end; returns its exit code and what it wrote. */
export async function runIn(
  context: CliContext,
  containerId: string,
  command: { args: string[]; user?: string; workingDir?: string; env?: string[]; privileged?: boolean },
): Promise<{ exitCode: number; output: string }> {
  const { containers } = await context.engine();
  const id = await containers.createExec(containerId, command, { signal: context.signal });
  const session = await containers.startExec(id, { signal: context.signal });
  let output = "";
  if (session) {
    await using running = session;
    for await (const { data } of running.output) output = (output + data.toString("utf8")).slice(-4000);
  }
  return { exitCode: await containers.waitExec(id, { signal: context.signal }), output };
}

/** A tar of single files with the names that they get; directories come by themselves. */
function pack(paths: string[], nameOf: (path: string) => string): Readable {
  const archive = tar.pack();
  for (const path of paths) {
    try {
      const info = lstatSync(path);
      const header = { name: nameOf(path).replace(/^\//, ""), mode: info.mode & 0o7777, mtime: info.mtime };
      if (info.isSymbolicLink()) archive.entry({ ...header, type: "symlink", linkname: readlinkSync(path) });
      else archive.entry(header, readFileSync(path));
    } catch (thrown) {
      // Gone again since: the next look takes it away.
      if ((thrown as NodeJS.ErrnoException).code !== "ENOENT" && !isCode(thrown, "not_found")) throw thrown;
    }
  }
  archive.finalize();
  return archive as unknown as Readable;
}
