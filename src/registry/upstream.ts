import type { RegistryClients } from "../image/distribution/registry-clients.ts";
import type { Upstream } from "./registry.ts";

/** The registry at `domain` as a mirror's upstream, with this host's credentials and settings for it. */
export function createUpstream(clients: RegistryClients, domain: string): Upstream {
  return {
    async manifest(repository, reference, options) {
      const { data, descriptor } = await (await clients.registry(domain, undefined)).manifest(
        repository,
        reference,
        options,
      );
      return { data, mediaType: descriptor.mediaType };
    },
    async blob(repository, blob, options) {
      return await (await clients.registry(domain, undefined)).blob(
        repository,
        { ...blob, mediaType: "application/octet-stream" },
        0,
        options,
      );
    },
  };
}
