import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { StepMount } from "../../ports/build.ts";
import { chainOf, hashOf } from "../cache/keys.ts";
import { selectionsDigest } from "../copy/inputs.ts";
import type { FileSource, RunStep, StepMountPlan } from "../graph/steps.ts";
import { diskView, resolveInRoot } from "../tree/resolve.ts";
import { selectFiles } from "../tree/select.ts";
import { type SourceTree, walkTree } from "../tree/walk.ts";
import { openCacheMount } from "./cache-mounts.ts";
import { type BuildSession, diffIdsOf } from "./parts.ts";
import { layersOf, openTree, sourceName } from "./views.ts";

/** What a RUN's mounts came to: ready for the runner, with what has to be put away afterwards. */
export interface OpenMounts extends AsyncDisposable {
  mounts: StepMount[];
  env: string[];
}

/** What each mount contributes to the cache key: content for files, nothing for caches, secrets and agents. */
export async function mountDigests(session: BuildSession, step: RunStep): Promise<string[]> {
  const digests: string[] = [];
  for (const mount of step.mounts)
    digests.push(mount.kind === "bind" && mount.from ? await bindDigest(session, mount, mount.from) : "");
  return digests;
}

async function bindDigest(session: BuildSession, mount: StepMountPlan, from: FileSource): Promise<string> {
  if (from.kind !== "context") return hashOf(chainOf(diffIdsOf(await layersOf(session, from))), mount.source);
  const tree = await session.contexts.tree(from.name);
  return selectionsDigest(tree, selectFiles(tree, mount.source), session.digests);
}

/** Opens all mounts of a step; `runPath` is a directory of the step's own on a memory file system. */
export async function openMounts(session: BuildSession, step: RunStep, runPath: string): Promise<OpenMounts> {
  const stack = new AsyncDisposableStack();
  const opened: OpenMounts = { mounts: [], env: [], [Symbol.asyncDispose]: () => stack.disposeAsync() };
  try {
    if (step.script)
      opened.mounts.push({
        kind: "bind",
        source: scriptFile(runPath, step.script.text),
        target: step.script.target,
        readOnly: true,
      });
    for (const [index, mount] of step.mounts.entries()) {
      if (mount.kind === "bind") opened.mounts.push(await openBind(session, mount, stack));
      else if (mount.kind === "tmpfs")
        opened.mounts.push({ kind: "tmpfs", target: mount.target, size_bytes: mount.size_bytes });
      else if (mount.kind === "cache") opened.mounts.push(stack.use(await openCacheMount(session, mount)).mount);
      else if (mount.kind === "secret") openSecret(session, mount, join(runPath, `secret-${index}`), opened);
      else await openAgent(session, mount, join(runPath, `agent-${index}`), opened, stack);
    }
    return opened;
  } catch (thrown) {
    await stack.disposeAsync();
    throw thrown;
  }
}

function scriptFile(runPath: string, text: string): string {
  const path = join(runPath, "script");
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

async function openBind(session: BuildSession, mount: StepMountPlan, stack: AsyncDisposableStack): Promise<StepMount> {
  const from = mount.from!;
  if (from.kind !== "context" && !mount.readOnly) return openWritableBind(session, mount, from, stack);
  const { tree } = stack.use(await openTree(session, from));
  const hidden: string[] = [];
  const { path, stat } = resolveInRoot(diskView(tree.root), mount.source);
  if (!stat) throw new BerthError("not_found", `--mount: ${mount.source} is not in ${sourceName(session, from)}`);
  if (tree.rules && stat.isDirectory()) walkTree(tree, path, ignored => hidden.push(ignored));
  const needsCopy = !mount.readOnly || hidden.length > 0;
  const source = needsCopy ? copyOut(session, tree, path) : join(tree.root, path);
  return { kind: "bind", source, target: mount.target, readOnly: mount.readOnly };
}

/** What is written to a readwrite bind is thrown away after the step: it goes into a root of its own. */
async function openWritableBind(
  session: BuildSession,
  mount: StepMountPlan,
  from: Exclude<FileSource, { kind: "context" }>,
  stack: AsyncDisposableStack,
): Promise<StepMount> {
  const { parts, signal } = session;
  const layers = await layersOf(session, from);
  await parts.layers.unpack(layers, { signal });
  const id = `build-${session.id}-${session.next()}`;
  await parts.layers.createRoot(id, diffIdsOf(layers), { signal });
  stack.defer(() => parts.layers.removeRoot(id));
  const { mergedPath } = await parts.layers.mount(id, { signal });
  const { path, stat } = resolveInRoot(diskView(mergedPath), mount.source);
  if (!stat) throw new BerthError("not_found", `--mount: ${mount.source} is not in ${sourceName(session, from)}`);
  return { kind: "bind", source: join(mergedPath, path), target: mount.target, readOnly: false };
}

/** A copy of what the step may see of a context: without what .dockerignore leaves out, and free to be written to. */
function copyOut(session: BuildSession, tree: SourceTree, path: string): string {
  const target = join(session.tempPath, `${session.next()}-bind`);
  const [selection] = selectFiles(tree, `/${path}`);
  if (!selection?.item.stat.isDirectory()) {
    copyFileSync(join(tree.root, path), target, constants.COPYFILE_FICLONE);
    return target;
  }
  mkdirSync(target);
  for (const item of selection.below) copyItem(item.hostPath, join(target, item.path), item.stat);
  return target;
}

function copyItem(
  source: string,
  target: string,
  stat: { mode: number; isDirectory(): boolean; isFile(): boolean; isSymbolicLink(): boolean },
) {
  if (stat.isDirectory()) {
    mkdirSync(target);
    chmodSync(target, stat.mode & 0o7777);
  } else if (stat.isFile()) copyFileSync(source, target, constants.COPYFILE_FICLONE);
  else if (stat.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
}

function openSecret(session: BuildSession, mount: StepMountPlan, path: string, opened: OpenMounts) {
  const secret = session.input.secrets?.[mount.id];
  if (!secret) {
    if (!mount.required) return;
    throw new BerthError("invalid", `the step needs the secret '${mount.id}', which was not given`, {
      hint: `pass --secret id=${mount.id},src=FILE`,
    });
  }
  if (mount.env !== undefined) opened.env.push(`${mount.env}=${secret.data.toString("utf8")}`);
  if (mount.target === "") return;
  writeFileSync(path, secret.data, { mode: 0o600 });
  chownSync(path, mount.uid, mount.gid);
  chmodSync(path, mount.mode ?? 0o400);
  opened.mounts.push({ kind: "bind", source: path, target: mount.target, readOnly: true });
}

async function openAgent(
  session: BuildSession,
  mount: StepMountPlan,
  path: string,
  opened: OpenMounts,
  stack: AsyncDisposableStack,
) {
  const agentPath = session.input.ssh?.[mount.id];
  if (agentPath === undefined) {
    if (!mount.required) return;
    throw new BerthError("invalid", `the step needs the SSH agent '${mount.id}', which was not given`, {
      hint: "pass --ssh default",
    });
  }
  const { uid, gid, mode = 0o600 } = mount;
  stack.use(await session.parts.runner.forwardAgent({ agentPath, path, uid, gid, mode }));
  const target = mount.target || `/run/berth/ssh_agent.${opened.mounts.length}`;
  opened.mounts.push({ kind: "bind", source: path, target, readOnly: false });
  if (!opened.env.some(item => item.startsWith("SSH_AUTH_SOCK="))) opened.env.push(`SSH_AUTH_SOCK=${target}`);
}
