import type { Clock } from "../../base/clock.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Progress, RegistryAuth } from "../../ports/images.ts";
import { Credentials, type CredentialsOptions } from "./credentials.ts";
import { RegistrySession } from "./registry-session.ts";
import { RegistriesFile } from "./registry-settings.ts";
import { SharedWork } from "./shared-work.ts";
import { Transport, type TransportOptions } from "./transport.ts";

export interface RegistryClientsOptions extends CredentialsOptions, TransportOptions {
  clock: Clock;
  /** In [0, 1): spreads retries. */
  random: () => number;
  /** registries.json; where there is none, every registry is reached by TLS and loopback ones by plain HTTP too. */
  registriesFile?: string;
}

/** The way to all registries: one for a process. Disposing it ends every transfer. */
export class RegistryClients implements AsyncDisposable {
  readonly clock: Clock;
  readonly random: () => number;
  /** Blobs being downloaded, by digest: pulls that need the same one share it. */
  readonly downloads = new SharedWork<void, Progress>();
  readonly #transport: Transport;
  readonly #registries: RegistriesFile;
  readonly #credentials: Credentials;

  constructor(options: RegistryClientsOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.#transport = new Transport(options);
    this.#registries = new RegistriesFile(options.registriesFile);
    this.#credentials = new Credentials(options);
  }

  /** Where to pull a domain's images from, mirrors first. Given credentials are for the registry itself, never for its mirrors. */
  async sources(domain: string, auth: RegistryAuth | undefined, options: CallOptions = {}): Promise<RegistrySession[]> {
    const endpoints = await this.#registries.endpoints(domain);
    return endpoints.map(endpoint => {
      const given = endpoint.isMirror ? undefined : auth;
      let found: Promise<RegistryAuth | undefined> | undefined;
      const find = () => (found ??= this.#credentials.find(endpoint.domain, options));
      return new RegistrySession({ transport: this.#transport, endpoint, auth: async () => given ?? (await find()) });
    });
  }

  /** The registry itself. */
  async registry(domain: string, auth: RegistryAuth | undefined, options: CallOptions = {}): Promise<RegistrySession> {
    return (await this.sources(domain, auth, options)).at(-1)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }
}
