import { mkdirSync, readFileSync, statSync } from "node:fs";
import { basename, isAbsolute, join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { BuildContext, BuildInput, NamedContext, SourceFetcher } from "../../ports/build.ts";
import { parseIgnoreFile } from "../match/ignore.ts";
import { gitSource } from "../tree/git-url.ts";
import { diskView, lstatIfThere, resolveInRoot } from "../tree/resolve.ts";
import { unpackContext } from "../tree/unpack-context.ts";
import type { SourceTree } from "../tree/walk.ts";
import { downloadContext } from "./download.ts";

export interface ContextParts {
  fetcher: SourceFetcher;
  tempPath: string;
  signal: AbortSignal;
}

const dockerfileLimit_bytes = 4 << 20;

/** The directories that a build takes files from; what is not one yet (a tar, a repository) becomes one when it is first asked for. */
export class Contexts {
  readonly #parts: ContextParts;
  readonly #input: BuildInput;
  readonly #trees = new Map<string, Promise<SourceTree>>();
  #dockerfilePath: string | undefined;

  constructor(input: BuildInput, parts: ContextParts) {
    this.#input = input;
    this.#parts = parts;
  }

  /** "" is the build's own. */
  tree(name: string): Promise<SourceTree> {
    let tree = this.#trees.get(name);
    if (!tree) {
      tree = this.#open(name);
      tree.catch(() => undefined);
      this.#trees.set(name, tree);
    }
    return tree;
  }

  #named(name: string): NamedContext {
    if (name === "") return this.#input.context;
    const context = this.#input.contexts?.[name];
    if (!context) throw new BerthError("internal", `the context '${name}' was planned and is not there`);
    return context;
  }

  async #open(name: string): Promise<SourceTree> {
    const context = this.#named(name);
    if (context.kind === "image") throw new BerthError("internal", `the context '${name}' is an image`);
    const label = name === "" ? "the build context" : `the context ${name}`;
    const root = await this.#directory(
      context,
      name === "" ? "context" : `context-${name.replaceAll(/[^\w.-]/g, "_")}`,
      label,
    );
    return { root, name: label, rules: this.#rules(root, name), keepOwners: false };
  }

  async #directory(context: BuildContext, folder: string, label: string): Promise<string> {
    if (context.kind === "directory") {
      if (!isAbsolute(context.path))
        throw new BerthError("invalid", `${label} is '${context.path}'`, { hint: "give an absolute path" });
      const stat = statSync(context.path, { throwIfNoEntry: false });
      if (!stat) throw new BerthError("not_found", `${label} ${context.path} does not exist`);
      if (!stat.isDirectory()) throw new BerthError("invalid", `${label} ${context.path} is not a directory`);
      return context.path;
    }
    const path = join(this.#parts.tempPath, folder);
    mkdirSync(path);
    if (context.kind === "tar") await unpackContext(context.stream, path, this.#parts.signal);
    if (context.kind === "url") return this.#fetched(context.url, path);
    return path;
  }

  async #fetched(url: string, path: string): Promise<string> {
    const { fetcher, signal } = this.#parts;
    const git = gitSource(url);
    if (!git) {
      await downloadContext(url, path, fetcher, signal);
      return path;
    }
    const commit = await fetcher.resolveGit(git.url, git.reference, { signal });
    const keepGit = this.#input.args?.["BUILDKIT_CONTEXT_KEEP_GIT_DIR"] === "1";
    await fetcher.checkoutGit({ url: git.url, commit, reference: git.reference, path, keepGit }, { signal });
    if (git.subdirectory === "") return path;
    const { path: inside, stat } = resolveInRoot(diskView(path), git.subdirectory);
    if (!stat?.isDirectory())
      throw new BerthError("not_found", `the repository ${git.url} has no directory ${git.subdirectory}`);
    return join(path, inside);
  }

  /** `<Dockerfile>.dockerignore` beside the Dockerfile, else .dockerignore of the root. */
  #rules(root: string, name: string) {
    const own = name === "" && this.#dockerfilePath !== undefined ? `${this.#dockerfilePath}.dockerignore` : undefined;
    for (const path of [own, join(root, ".dockerignore")]) {
      if (path === undefined || !lstatIfThere(path)?.isFile()) continue;
      return parseIgnoreFile(readFileSync(path, "utf8"), basename(path));
    }
    return undefined;
  }

  /** Text and shown name of the Dockerfile. Comes before any tree is asked for, since its own ignore file counts. */
  async dockerfile(): Promise<{ text: string; name: string }> {
    const wanted = this.#input.dockerfile;
    if (wanted && "text" in wanted) return { text: wanted.text, name: wanted.name ?? "Dockerfile" };
    const name = wanted?.path ?? "Dockerfile";
    if (isAbsolute(name)) {
      this.#dockerfilePath = name;
      return { text: readDockerfile(name, name), name };
    }
    const root = await this.#directory(this.#input.context, "context", "the build context");
    const candidates = wanted ? [name] : ["Dockerfile", "dockerfile"];
    for (const candidate of candidates) {
      const { path, stat } = resolveInRoot(diskView(root), candidate);
      if (!stat?.isFile()) continue;
      this.#dockerfilePath = join(root, candidate);
      this.#trees.set(
        "",
        Promise.resolve({ root, name: "the build context", rules: this.#rules(root, ""), keepOwners: false }),
      );
      return { text: readDockerfile(join(root, path), name), name };
    }
    throw new BerthError("not_found", `the build context has no ${name}`, {
      hint: wanted
        ? "--file is relative to the context"
        : "name another file with --file, or give a context that has a Dockerfile",
    });
  }
}

function readDockerfile(path: string, name: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new BerthError("not_found", `there is no Dockerfile ${name}`);
  if (stat.size > dockerfileLimit_bytes)
    throw new BerthError("invalid", `the Dockerfile ${name} has ${stat.size} bytes`);
  return readFileSync(path, "utf8");
}
