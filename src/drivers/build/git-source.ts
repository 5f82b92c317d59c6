import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../base/env.ts";
import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import { runProgram } from "../conmon/run-program.ts";

const commitPattern = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/** The git program; it asks no questions, and reads the user's own settings for credentials. */
export class GitSource {
  readonly #environment: Record<string, string>;

  constructor(environment: Environment) {
    const kept = [
      "PATH",
      "HOME",
      "SSH_AUTH_SOCK",
      "http_proxy",
      "https_proxy",
      "no_proxy",
      "HTTP_PROXY",
      "HTTPS_PROXY",
      "NO_PROXY",
    ];
    this.#environment = { GIT_TERMINAL_PROMPT: "0", LC_ALL: "C", GIT_SSH_COMMAND: "ssh -oBatchMode=yes" };
    for (const name of kept) if (environment[name] !== undefined) this.#environment[name] = environment[name];
  }

  async #git(attempt: string, words: string[], { cwd, signal }: CallOptions & { cwd?: string }): Promise<string> {
    const result = await runProgram("git", words, { environment: this.#environment, cwd, signal });
    signal?.throwIfAborted();
    if (result.code === 0) return result.stdout;
    const said = result.stderr.trim().split("\n").slice(-3).join("; ");
    const code = /not found|does not exist|couldn't find remote ref|not appear to be a git/i.test(said)
      ? "not_found"
      : "unavailable";
    throw new BerthError(code, `${attempt}: git says: ${said || `exit code ${result.code}`}`);
  }

  /** Branch before tag; an annotated tag means the commit that it points to. */
  async resolve(url: string, reference: string | undefined, { signal }: CallOptions): Promise<string> {
    if (reference !== undefined && commitPattern.test(reference)) return reference;
    const wanted = reference ?? "HEAD";
    const patterns = [wanted, `refs/heads/${wanted}`, `refs/tags/${wanted}`, `refs/tags/${wanted}^{}`];
    const listed = await this.#git(`looking ${wanted} up in ${url}`, ["ls-remote", "--", url, ...patterns], { signal });
    const found = new Map(
      listed.split("\n").flatMap(line => {
        const [commit, name] = line.split("\t");
        return commit && name ? [[name, commit] as const] : [];
      }),
    );
    for (const name of [`refs/heads/${wanted}`, `refs/tags/${wanted}^{}`, `refs/tags/${wanted}`, wanted]) {
      const commit = found.get(name);
      if (commit !== undefined) return commit;
    }
    throw new BerthError("not_found", `the repository ${url} has no branch or tag ${wanted}`);
  }

  async checkout(
    input: { url: string; commit: string; reference?: string; path: string; keepGit?: boolean },
    { signal }: CallOptions,
  ): Promise<void> {
    const { url, commit, reference, path } = input;
    const run = (words: string[]) => this.#git(`fetching ${url}`, words, { cwd: path, signal });
    await run(["init", "-q"]);
    await run(["remote", "add", "origin", url]);
    // Not every server hands out a commit by its name alone.
    await run(["fetch", "-q", "--depth", "1", "origin", commit]).catch(async thrown => {
      signal?.throwIfAborted();
      if (reference === undefined || commitPattern.test(reference)) await run(["fetch", "-q", "--tags", "origin"]);
      else await run(["fetch", "-q", "--depth", "1", "origin", reference]).catch(() => Promise.reject(thrown));
    });
    await run(["-c", "advice.detachedHead=false", "checkout", "-q", commit]);
    await run(["submodule", "update", "-q", "--init", "--recursive", "--depth", "1"]);
    if (!input.keepGit) removeGit(path);
  }
}

/** The repository's own data, and the file by which each submodule points to it. */
function removeGit(path: string) {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.name === ".git") rmSync(join(path, entry.name), { recursive: true, force: true });
    else if (entry.isDirectory()) removeGit(join(path, entry.name));
  }
}
