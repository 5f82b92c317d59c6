import { BerthError, isCode } from "../../base/errors.ts";
import { digestOf } from "../digest.ts";
import type { Reference } from "../reference.ts";
import type { SignatureSource } from "../trust/signature-source.ts";
import type { RegistryClients } from "./registry-clients.ts";
import { type Resolved, withRetry } from "./resolve.ts";

/** Signatures that lie in the image's own repository, as cosign puts them; a mirror that has none passes the question on. */
export function registrySignatures(
  clients: RegistryClients,
  { sessions }: Resolved,
  { path }: Reference,
): SignatureSource {
  let session = sessions[0]!;
  return {
    async manifest(tag, options) {
      for (session of sessions) {
        try {
          const { parsed } = await withRetry(clients, options, () => session.manifest(path, tag, options));
          if (parsed.kind === "image") return parsed.manifest;
        } catch (thrown) {
          if (!isCode(thrown, "not_found")) throw thrown;
        }
      }
      return undefined;
    },

    async blob(descriptor, options) {
      const data = await withRetry(clients, options, async () => {
        const parts: Buffer[] = [];
        let size = 0;
        for await (const part of await session.blob(path, descriptor, 0, options)) {
          size += (part as Buffer).length;
          if (size > descriptor.size) break;
          parts.push(part as Buffer);
        }
        return Buffer.concat(parts);
      });
      if (digestOf(data) === descriptor.digest) return data;
      throw new BerthError("corrupt", `fetching the signature ${descriptor.digest}: it has other content`);
    },
  };
}
