import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import { chainOf, hashOf } from "../cache/keys.ts";
import { type ArchiveFormat, archiveFormat } from "../copy/archive.ts";
import { selectionsDigest } from "../copy/inputs.ts";
import type { CopyStep } from "../graph/steps.ts";
import { gitSource, isHttpUrl } from "../tree/git-url.ts";
import { type Selection, selectFiles } from "../tree/select.ts";
import type { SourceTree } from "../tree/walk.ts";
import { type Download, download } from "./download.ts";
import { type BuildSession, diffIdsOf } from "./parts.ts";
import { layersOf, openTree } from "./views.ts";

/** What one COPY or ADD is to put into its layer, found and hashed; nothing is written yet. */
export interface CopyInputs extends AsyncDisposable {
  digest: string;
  groups: { tree: SourceTree; selections: Selection[] }[];
  archives: { path: string; name: string; format: ArchiveFormat }[];
  downloads: Download[];
}

/**
 * For sources in stages and images: a digest that needs no look at their files, since a chain of layers never changes. Undefined for everything else.
 */
export async function quickDigest(session: BuildSession, step: CopyStep): Promise<string | undefined> {
  if (step.from.kind === "context") return undefined;
  const chain = chainOf(diffIdsOf(await layersOf(session, step.from)));
  return hashOf("chain", chain, step.sources, step.exclude, step.files);
}

function temporary(session: BuildSession, name: string): string {
  return join(session.tempPath, `${session.next()}-${name}`);
}

async function addUrl(
  session: BuildSession,
  step: CopyStep,
  url: string,
  inputs: CopyInputs,
  hash: ReturnType<typeof createHash>,
) {
  const path = temporary(session, "download");
  const { fetcher } = session.parts;
  const found = await download(url, path, { fetcher, signal: session.signal, checksum: step.checksum });
  hash.update(`url\0${found.fileName}\0${found.digest}\n`);
  const format = step.unpack ? archiveFormat(path) : undefined;
  if (format) inputs.archives.push({ path, name: url, format });
  else inputs.downloads.push(found);
}

async function addRepository(
  session: BuildSession,
  step: CopyStep,
  source: string,
  inputs: CopyInputs,
  hash: ReturnType<typeof createHash>,
) {
  const git = gitSource(source)!;
  const { fetcher } = session.parts;
  const { signal } = session;
  const commit = await fetcher.resolveGit(git.url, git.reference, { signal });
  if (step.checksum !== undefined && !commit.startsWith(step.checksum)) {
    throw new BerthError("corrupt", `${source} is at commit ${commit}, and ${step.checksum} was wanted`);
  }
  const path = temporary(session, "git");
  mkdirSync(path);
  await fetcher.checkoutGit(
    { url: git.url, commit, reference: git.reference, path, keepGit: step.keepGit },
    { signal },
  );
  const tree: SourceTree = { root: path, name: `the repository ${git.url}`, keepOwners: false };
  const selections = selectFiles(tree, git.subdirectory || "/", { exclude: step.exclude });
  hash.update(`git\0${selectionsDigest(tree, selections, session.digests)}\n`);
  inputs.groups.push({ tree, selections });
}

/** A local archive that ADD unpacks: a regular file named as it is, not by a directory that holds it. */
function splitArchives(step: CopyStep, selections: Selection[], inputs: CopyInputs): Selection[] {
  if (!step.isAdd || step.unpack === false) return selections;
  return selections.filter(({ item, name }) => {
    const format = item.stat.isFile() ? archiveFormat(item.hostPath) : undefined;
    if (format) inputs.archives.push({ path: item.hostPath, name, format });
    else if (step.unpack === true && item.stat.isFile())
      throw new BerthError("invalid", `--unpack: ${name} is no archive`);
    return !format;
  });
}

/** Finds and hashes everything that the step names. */
export async function copyInputs(session: BuildSession, step: CopyStep): Promise<CopyInputs> {
  const hash = createHash("sha256");
  const stack = new AsyncDisposableStack();
  const inputs: CopyInputs = {
    digest: "",
    groups: [],
    archives: [],
    downloads: [],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  try {
    const local: string[] = [];
    for (const source of step.sources) {
      const isRemote = step.isAdd && (gitSource(source) !== undefined || isHttpUrl(source));
      if (!isRemote) local.push(source);
      else if (gitSource(source)) await addRepository(session, step, source, inputs, hash);
      else await addUrl(session, step, source, inputs, hash);
    }
    if (local.length > 0) {
      const { tree } = stack.use(await openTree(session, step.from));
      const selections = local.flatMap(source => select(session, step, tree, source));
      hash.update(`files\0${selectionsDigest(tree, selections, session.digests)}\n`);
      const rest = splitArchives(step, selections, inputs);
      checkLocalChecksum(session, step, selections);
      inputs.groups.push({ tree, selections: rest });
    }
    hash.update(JSON.stringify(step.files));
    inputs.digest = hash.digest("hex");
    return inputs;
  } catch (thrown) {
    await stack.disposeAsync();
    throw thrown;
  }
}

function select(session: BuildSession, step: CopyStep, tree: SourceTree, source: string): Selection[] {
  const found = selectFiles(tree, source, { exclude: step.exclude, parents: step.parents });
  if (found.length === 0 && step.exclude.length === 0)
    session.progress.warn(`nothing in ${tree.name} fits ${source}`, step.at.line);
  const into = step.destination === "/" || step.destination.endsWith("/");
  if (found.length > 1 && !into) {
    throw new BerthError(
      "invalid",
      `${source} fits ${found.length} files, so the destination ${step.destination} must be a directory`,
      {
        hint: `write ${step.destination}/`,
      },
    );
  }
  return found;
}

function checkLocalChecksum(session: BuildSession, step: CopyStep, selections: Selection[]) {
  if (step.checksum === undefined) return;
  const item = selections[0]?.item;
  if (!item?.stat.isFile())
    throw new BerthError("invalid", "--checksum needs a source that is a file, a URL or a repository");
  const digest = `sha256:${session.digests.digest(item.hostPath, item.stat)}`;
  if (digest !== step.checksum)
    throw new BerthError("corrupt", `${step.sources[0]} has the checksum ${digest}, and ${step.checksum} was wanted`);
}
