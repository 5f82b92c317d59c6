import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { RegistryAuth } from "../../ports/images.ts";
import type { RunProgram } from "../../ports/programs.ts";
import { readIfThere } from "../atomic-file.ts";
import { parseObject } from "../manifest.ts";

const helperTimeout_ms = 30_000;
/** The key that docker login has always used for Docker Hub. */
const dockerHubKey = "https://index.docker.io/v1/";

export interface CredentialsOptions {
  /** Directory of docker's config.json; undefined where the user has none. */
  dockerConfig?: string;
  /** Runs credential helpers; without it they are refused. */
  runProgram?: RunProgram;
}

interface DockerConfig {
  auths: Record<
    string,
    { auth?: string; username?: string; password?: string; identitytoken?: string; registrytoken?: string }
  >;
  credHelpers: Record<string, string>;
  credsStore?: string;
}

/** What the user has logged in with: ~/.docker/config.json as the docker command keeps it, and the helper programs it names. */
export class Credentials {
  readonly #options: CredentialsOptions;

  constructor(options: CredentialsOptions = {}) {
    this.#options = options;
  }

  /** `domain` as in a reference. Undefined where there are none. The file is read each time, so that a login counts at once. */
  async find(domain: string, options: CallOptions = {}): Promise<RegistryAuth | undefined> {
    const config = await this.#read();
    if (config === undefined) return undefined;
    const key = domain === "docker.io" ? dockerHubKey : domain;
    const helper = config.credHelpers[domain] ?? config.credHelpers[key] ?? config.credsStore;
    if (helper) {
      const found = await this.#ask(helper, key, options);
      if (found !== undefined) return found;
    }
    return fromEntry(config.auths[key] ?? entryByHost(config, domain), domain);
  }

  async #read(): Promise<DockerConfig | undefined> {
    if (this.#options.dockerConfig === undefined) return undefined;
    const path = join(this.#options.dockerConfig, "config.json");
    const text = await readIfThere(path);
    if (text === undefined || text.trim() === "") return undefined;
    const value = parseObject(Buffer.from(text), path);
    return { ...value, auths: value["auths"] ?? {}, credHelpers: value["credHelpers"] ?? {} } as DockerConfig;
  }

  /** The protocol of docker-credential-helpers: the server on stdin, {"Username", "Secret"} on stdout. */
  async #ask(helper: string, server: string, { signal }: CallOptions): Promise<RegistryAuth | undefined> {
    const program = `docker-credential-${helper}`;
    if (!/^[A-Za-z0-9._-]+$/.test(helper)) {
      throw new BerthError(
        "invalid",
        `reading docker's config.json: ${JSON.stringify(helper)} cannot name a credential helper`,
      );
    }
    if (this.#options.runProgram === undefined) {
      throw new BerthError(
        "unsupported",
        `asking ${program} for ${server}: this program does not run credential helpers`,
      );
    }
    const result = await this.#options.runProgram(program, ["get"], {
      input: server,
      timeout_ms: helperTimeout_ms,
      signal,
    });
    if (result.exitCode !== 0) {
      if (/credentials not found/i.test(result.stdout + result.stderr)) return undefined;
      const said = (result.stderr || result.stdout).trim().slice(0, 500);
      throw new BerthError(
        "unauthorized",
        `asking ${program} for ${server}: it failed with ${result.exitCode}: ${said}`,
        {
          hint: `run it by hand: echo ${server} | ${program} get`,
        },
      );
    }
    const answer = parseObject(Buffer.from(result.stdout), `the answer of ${program}`);
    const username = String(answer["Username"] ?? "");
    const secret = String(answer["Secret"] ?? "");
    if (secret === "") return undefined;
    return username === "<token>" ? { identityToken: secret } : { username, password: secret };
  }
}

/** Older entries have a scheme or a path: https://registry.example.com/v2/. */
function entryByHost(config: DockerConfig, domain: string): DockerConfig["auths"][string] | undefined {
  const hostOf = (key: string) => key.replace(/^https?:\/\//, "").split("/")[0];
  const key = Object.keys(config.auths).find(candidate => hostOf(candidate) === domain);
  return key === undefined ? undefined : config.auths[key];
}

function fromEntry(entry: DockerConfig["auths"][string] | undefined, domain: string): RegistryAuth | undefined {
  if (entry === undefined) return undefined;
  if (entry.identitytoken) return { identityToken: entry.identitytoken };
  if (entry.registrytoken) return { registryToken: entry.registrytoken };
  if (entry.auth) {
    const plain = Buffer.from(entry.auth, "base64").toString("utf8");
    const colon = plain.indexOf(":");
    if (colon < 0) {
      throw new BerthError(
        "invalid",
        `reading docker's config.json: the auth of ${domain} is not base64 of user:password`,
        {
          hint: `log in again: docker login ${domain}`,
        },
      );
    }
    return { username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/\0+$/, "") };
  }
  return entry.username ? { username: entry.username, password: entry.password ?? "" } : undefined;
}
