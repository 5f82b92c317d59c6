import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { BerthError } from "../../base/errors.ts";
import { readIfThere } from "../atomic-file.ts";
import { parseObject } from "../manifest.ts";
import { defaultDomain } from "../reference.ts";

/** How to speak to one registry host. */
export interface RegistrySettings {
  /** Asked first for pulls, in order; http(s)://host[:port][/prefix] */
  mirrors: string[];
  /** Without TLS. */
  plainHttp: boolean;
  /** TLS with any certificate, and plain HTTP where there is no TLS: what Docker calls an insecure registry. */
  insecure: boolean;
  /** PEM, of a certificate authority beside the system's; and of our own certificate, where the registry asks for one. */
  ca?: string;
  certificate?: string;
  key?: string;
}

interface FileEntry {
  mirrors?: string[];
  plainHttp?: boolean;
  insecure?: boolean;
  ca?: string;
  certificate?: string;
  key?: string;
}

/** One base address to try. */
export interface Endpoint {
  /** Host with port, as in a reference; where credentials are looked up. */
  domain: string;
  /** http(s)://host:port[/prefix] without the /v2. With `probe` the scheme is found out first. */
  base: string;
  probe: boolean;
  settings: RegistrySettings;
  isMirror: boolean;
}

const known: Record<string, string> = { [defaultDomain]: "registry-1.docker.io" };

/** The registries file (docs/design/images.md): {"registries": {"<host[:port]>": {mirrors, plainHttp, insecure, ca, certificate, key}}}. */
export class RegistriesFile {
  readonly #path: string | undefined;

  constructor(path?: string) {
    this.#path = path;
  }

  /** Where a domain's images come from: its mirrors, then itself. Read each time, so that a change counts at once. */
  async endpoints(domain: string): Promise<Endpoint[]> {
    const entries = await this.#read();
    const settings = await this.#settings(entries, domain);
    const mirrors = await Promise.all(settings.mirrors.map(mirror => this.#mirror(entries, mirror)));
    return [...mirrors, endpointOf(domain, settings)];
  }

  async #mirror(entries: Record<string, FileEntry>, mirror: string): Promise<Endpoint> {
    const url = URL.parse(mirror);
    if (url === null || !["http:", "https:"].includes(url.protocol) || url.search !== "" || url.username !== "") {
      throw new BerthError(
        "invalid",
        `reading ${this.#path}: mirror ${JSON.stringify(mirror)} is not http(s)://host[:port][/prefix]`,
      );
    }
    const settings = await this.#settings(entries, url.host);
    return { domain: url.host, base: mirror.replace(/\/+$/, ""), probe: false, settings, isMirror: true };
  }

  async #settings(entries: Record<string, FileEntry>, domain: string): Promise<RegistrySettings> {
    const entry = entries[domain] ?? {};
    const insecure = entry.insecure ?? isLoopback(domain);
    const [ca, certificate, key] = await Promise.all(
      [entry.ca, entry.certificate, entry.key].map(name => this.#pem(name)),
    );
    return { mirrors: entry.mirrors ?? [], plainHttp: entry.plainHttp ?? false, insecure, ca, certificate, key };
  }

  async #pem(name: string | undefined): Promise<string | undefined> {
    if (name === undefined || this.#path === undefined) return undefined;
    return readFile(resolve(dirname(this.#path), name), "utf8");
  }

  async #read(): Promise<Record<string, FileEntry>> {
    if (this.#path === undefined) return {};
    const text = await readIfThere(this.#path);
    if (text === undefined) return {};
    const { registries = {}, ...rest } = parseObject(Buffer.from(text), this.#path);
    const unknown = Object.keys(rest)[0];
    if (unknown !== undefined)
      throw new BerthError("invalid", `reading ${this.#path}: unknown key ${JSON.stringify(unknown)}`);
    if (typeof registries !== "object" || registries === null) {
      throw new BerthError("invalid", `reading ${this.#path}: "registries" is no object`);
    }
    for (const [domain, entry] of Object.entries(registries)) checkEntry(entry, `${this.#path}: ${domain}`);
    return registries as Record<string, FileEntry>;
  }
}

const kinds: Record<keyof FileEntry, (value: unknown) => boolean> = {
  mirrors: value => Array.isArray(value) && value.every(item => typeof item === "string"),
  plainHttp: value => typeof value === "boolean",
  insecure: value => typeof value === "boolean",
  ca: value => typeof value === "string",
  certificate: value => typeof value === "string",
  key: value => typeof value === "string",
};

function checkEntry(entry: unknown, where: string): void {
  for (const [key, value] of Object.entries((entry ?? {}) as object)) {
    const fits = kinds[key as keyof FileEntry];
    if (fits === undefined) throw new BerthError("invalid", `reading ${where}: unknown key ${JSON.stringify(key)}`);
    if (!fits(value)) throw new BerthError("invalid", `reading ${where}: ${key} is ${JSON.stringify(value)}`);
  }
}

function endpointOf(domain: string, settings: RegistrySettings): Endpoint {
  const host = known[domain] ?? domain;
  const scheme = settings.plainHttp ? "http" : "https";
  const probe = settings.insecure && !settings.plainHttp;
  return { domain, base: `${scheme}://${host}`, probe, settings, isMirror: false };
}

/** As Docker: registries on the own machine need no TLS. */
export function isLoopback(domain: string): boolean {
  const host = domain.replace(/:\d+$/, "");
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
