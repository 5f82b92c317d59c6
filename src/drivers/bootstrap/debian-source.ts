import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import type { Clock } from "../../base/clock.ts";
import type { Environment } from "../../base/env.ts";
import { BerthError } from "../../base/errors.ts";
import { normalizePlatform } from "../../image/platform.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { ImageSource, ProducedImage } from "../../ports/image-source.ts";
import type { ProgressSink } from "../../ports/images.ts";
import { type AptSource, formatAptSources, parseAptSources, sourcesForSuite } from "./apt-sources.ts";
import { cleanCommand, debianSuite, imageFiles, slimRules, transportSettings } from "./debian-root.ts";
import { defaultPath } from "./default-path.ts";
import { runMmdebstrap } from "./mmdebstrap.ts";
import { runProgram } from "./run-program.ts";

const day_ms = 86_400_000;
/** In every Debian by its dependencies; other keys must be brought along. */
const archiveKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** Without it apt satisfies the wish for one /usr by a converter that brings all of perl: 30 MB more. */
const mergedUsrHook = "/usr/share/mmdebstrap/hooks/maybe-merged-usr";

export interface DebianSourceOptions {
  clock: Clock;
  /** PATH and proxy variables are handed on. */
  environment: Environment;
  /** For the root while it is being made (some hundred MB); on a file system that allows devices. Made if missing. */
  directory: string;
  /** Where apt's sources are; default /etc/apt. */
  aptDirectory?: string;
}

/** debian:<suite>[-slim] by mmdebstrap from the mirrors that this host's apt uses. One suite has one digest a day, as long as the mirror stands still. */
export class DebianSource implements ImageSource {
  readonly name = "debian";
  readonly offers = "debian:<suite>[-slim]";
  readonly #clock: Clock;
  readonly #environment: Environment;
  readonly #directory: string;
  readonly #apt: string;

  constructor({ clock, environment, directory, aptDirectory = "/etc/apt" }: DebianSourceOptions) {
    this.#clock = clock;
    this.#environment = environment;
    this.#directory = directory;
    this.#apt = aptDirectory;
  }

  matches(reference: string): boolean {
    return debianSuite(reference) !== undefined;
  }

  async produce(reference: string, options: CallOptions & { onProgress?: ProgressSink } = {}): Promise<ProducedImage> {
    const wanted = debianSuite(reference);
    if (wanted === undefined) throw new BerthError("invalid", `bootstrap ${reference}: it is no suite of Debian`);
    const { suite, isSlim } = wanted;
    const { signal, onProgress } = options;
    const sources = await this.#sources(suite);
    const settings = transportSettings(await runProgram("apt-config", ["dump"], { signal }));
    const midnight_ms = Math.floor(this.#clock.now_ms() / day_ms) * day_ms;

    const work = await this.#makeDirectory();
    try {
      const files = join(work, "files");
      await writeTree(files, imageFiles(settings, isSlim));
      await copyKeyrings(files, sources);
      const list = join(work, "debian.sources");
      await writeFile(list, formatAptSources(sources));
      const run = runMmdebstrap({
        args: [
          "--mode=root",
          "--variant=minbase",
          "--format=tar",
          ...(existsSync(mergedUsrHook) ? [`--hook-dir=${mergedUsrHook}`] : []),
          ...settings.map(({ name, value }) => `--aptopt=${name} "${value}"`),
          ...(isSlim ? slimRules.map(rule => `--dpkgopt=${rule}`) : []),
          `--customize-hook=${cleanCommand}`,
          `--customize-hook=sync-in ${quote(files)} /`,
          suite,
          "-",
          list,
        ],
        environment: { ...this.#environment, TMPDIR: work, SOURCE_DATE_EPOCH: String(midnight_ms / 1000), LC_ALL: "C" },
        onStep: step => onProgress?.({ id: "", status: step }),
        signal,
      });
      return {
        tar: Readable.from(run.tar, { objectMode: false }),
        config: { Cmd: ["bash"], Env: [`PATH=${defaultPath}`] },
        platform: normalizePlatform({ os: "linux", architecture: process.arch }),
        created: new Date(midnight_ms).toISOString(),
        createdBy: `berth bootstrap debian:${suite}${isSlim ? "-slim" : ""} from ${sources[0]!.uri}`,
        async [Symbol.asyncDispose]() {
          await run[Symbol.asyncDispose]();
          await rm(work, { recursive: true, force: true });
        },
      };
    } catch (thrown) {
      await rm(work, { recursive: true, force: true });
      throw thrown;
    }
  }

  async #sources(suite: string): Promise<AptSource[]> {
    const parts = join(this.#apt, "sources.list.d");
    const names = await readdir(parts).catch(() => []);
    const files = [join(this.#apt, "sources.list"), ...names.sort().map(name => join(parts, name))];
    const all: AptSource[] = [];
    for (const file of files.filter(path => /\.(list|sources)$/.test(path))) {
      all.push(...parseAptSources(file, await readFile(file, "utf8").catch(() => "")));
    }
    const sources = sourcesForSuite(all, suite, await hostSuite());
    if (sources.length > 0) return sources;
    throw new BerthError("not_found", `bootstrap debian:${suite}: no mirror of Debian is named in ${this.#apt}`, {
      hint: `add one for ${suite}, e.g. a file ${join(parts, "debian.sources")} with Types, URIs, Suites, Components and Signed-By`,
    });
  }

  async #makeDirectory(): Promise<string> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    // What a killed process left: nothing takes a day.
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      const stats = await stat(path).catch(() => undefined);
      if (!name.startsWith("debian-") || stats === undefined || this.#clock.now_ms() - stats.mtimeMs < day_ms) continue;
      await rm(path, { recursive: true, force: true });
    }
    const directory = await mkdtemp(join(this.#directory, "debian-"));
    // apt fetches as its own user, who must get through.
    await chmod(directory, 0o755);
    return directory;
  }
}

/** The suite that this host runs, where it is a Debian. */
async function hostSuite(): Promise<string | undefined> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  if (!/^ID="?debian"?$/m.test(release)) return undefined;
  return /^VERSION_CODENAME="?(\w+)"?$/m.exec(release)?.[1];
}

async function writeTree(directory: string, files: Map<string, string>): Promise<void> {
  for (const [path, content] of files) {
    const target = join(directory, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content, { mode: content.startsWith("#!") ? 0o755 : 0o644 });
  }
}

/** apt in the image checks with the same keys, at the same paths. */
async function copyKeyrings(directory: string, sources: AptSource[]): Promise<void> {
  for (const { signedBy } of sources) {
    if (signedBy === undefined || !signedBy.startsWith("/") || signedBy === archiveKeyring) continue;
    const target = join(directory, signedBy);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, await readFile(signedBy), { mode: 0o644 });
  }
}

const quote = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
