import { BerthError } from "../../base/errors.ts";
import type { StepLayer } from "../cache/records.ts";
import type { FileSource } from "../graph/steps.ts";
import { diskView, emptyView, type RootView } from "../tree/resolve.ts";
import type { SourceTree } from "../tree/walk.ts";
import { type BuildSession, diffIdsOf } from "./parts.ts";

export interface OpenRoot extends AsyncDisposable {
  /** Absent: there is nothing in it (scratch). */
  path: string | undefined;
  view: RootView;
}

/** Read-only sight of a stack of layers, unpacking what is missing. */
export async function openRoot(session: BuildSession, layers: readonly StepLayer[]): Promise<OpenRoot> {
  if (layers.length === 0) return { path: undefined, view: emptyView, [Symbol.asyncDispose]: async () => {} };
  const { parts, signal } = session;
  await parts.layers.unpack([...layers], { signal });
  const opened = await parts.layers.view(`build-${session.id}-${session.next()}`, diffIdsOf(layers), { signal });
  return { path: opened.path, view: diskView(opened.path), [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

export interface OpenTree extends AsyncDisposable {
  tree: SourceTree;
}

/** Layers of a stage or an image. */
export async function layersOf(
  session: BuildSession,
  source: Exclude<FileSource, { kind: "context" }>,
): Promise<StepLayer[]> {
  if (source.kind === "stage") return (await session.stages.get(source.index)!).layers;
  return imageLayers(session, source.reference);
}

export function imageLayers(session: BuildSession, reference: string): StepLayer[] {
  const image = session.images.get(reference);
  if (!image) throw new BerthError("internal", `the image ${reference} was planned and is not there`);
  return image.layers.map((blob, i) => ({ blob, diffId: image.config.rootfs.diff_ids[i]! }));
}

export function sourceName(session: BuildSession, source: FileSource): string {
  if (source.kind === "image") return `the image ${source.reference}`;
  if (source.kind === "context") return source.name === "" ? "the build context" : `the context ${source.name}`;
  return `stage ${session.plan.stages.find(stage => stage.index === source.index)?.name ?? source.index}`;
}

/** The files of a source; of stages and images as long as it is not disposed. */
export async function openTree(session: BuildSession, source: FileSource): Promise<OpenTree> {
  if (source.kind === "context") {
    return { tree: await session.contexts.tree(source.name), [Symbol.asyncDispose]: async () => {} };
  }
  const root = await openRoot(session, await layersOf(session, source));
  const name = sourceName(session, source);
  if (root.path === undefined)
    throw new BerthError("not_found", `${name} has no files: it is FROM scratch and nothing was copied into it`);
  return {
    tree: { root: root.path, name, keepOwners: true },
    [Symbol.asyncDispose]: () => root[Symbol.asyncDispose](),
  };
}
