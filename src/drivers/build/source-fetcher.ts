import { spawn } from "node:child_process";
import { pipeline, type Readable } from "node:stream";
import type { Environment } from "../../base/env.ts";
import { BerthError } from "../../base/errors.ts";
import type { SourceFetcher } from "../../ports/build.ts";
import type { CallOptions } from "../../ports/content.ts";
import { GitSource } from "./git-source.ts";
import { type FetchedFile, fetchFile } from "./http-source.ts";

/** Sources from elsewhere: HTTP in this process, git and the rarer decompressors as programs. */
export class HostSourceFetcher implements SourceFetcher {
  readonly #environment: Environment;
  readonly #git: GitSource;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#git = new GitSource(environment);
  }

  http(url: string, options: CallOptions & { limit_bytes?: number } = {}): Promise<FetchedFile> {
    return fetchFile(url, this.#environment, options);
  }

  resolveGit(url: string, reference: string | undefined, options: CallOptions = {}): Promise<string> {
    return this.#git.resolve(url, reference, options);
  }

  checkoutGit(input: Parameters<SourceFetcher["checkoutGit"]>[0], options: CallOptions = {}): Promise<void> {
    return this.#git.checkout(input, options);
  }

  async decompress(format: "xz" | "bzip2", input: Readable, { signal }: CallOptions = {}): Promise<Readable> {
    const child = spawn(format, ["-dc"], {
      env: { PATH: this.#environment["PATH"] ?? "" },
      stdio: ["pipe", "pipe", "ignore"],
      signal,
      killSignal: "SIGKILL",
    });
    const started = new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", thrown =>
        reject(
          new BerthError("unsupported", `unpacking an archive compressed with ${format}: cannot run ${format}`, {
            cause: thrown,
            hint: `apt-get install ${format === "xz" ? "xz-utils" : "bzip2"}`,
          }),
        ),
      );
    });
    await started;
    const { stdin, stdout } = child;
    pipeline(input, stdin, () => {}); // a program that stops reading says why by its exit code
    child.once("close", code => {
      if (code !== 0) stdout.destroy(new BerthError("corrupt", `${format} cannot read the archive`));
    });
    return stdout;
  }
}
