import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { BerthError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { StoreKey } from "../image/content/store-key.ts";
import { Access } from "../registry/access.ts";
import type { RegistryConfig } from "../registry/config.ts";
import type { Registry } from "../registry/registry.ts";
import { createRegistryServer } from "../registry/server.ts";

export interface ListeningInput {
  registry: Registry;
  config: RegistryConfig;
  /** For the secret that signs tokens. */
  root: string;
  logger: Logger;
  storeKey?: StoreKey;
}

/** Serves a registry as its configuration says; disposing ends that. Throws `unavailable` when the address cannot be had. */
export async function listenRegistry({ registry, config, root, logger, storeKey }: ListeningInput) {
  const { listen, readOnly, tls } = config;
  const access = config.access && new Access(config.access, tokenSecret(root), systemClock.now_ms);
  const plain = createRegistryServer({ registry, logger, access, readOnly, storeKey });
  const server = tls
    ? createTlsServer(
        { cert: readFileSync(tls.certificate), key: readFileSync(tls.key) },
        plain.listeners("request")[0] as never,
      )
    : plain;
  const at = listen.lastIndexOf(":");
  await new Promise<void>((resolve, reject) => {
    server.once("error", cause =>
      reject(
        new BerthError("unavailable", `listening on ${listen} failed: ${cause.message}`, {
          cause,
          hint: "choose another address for the registry",
        }),
      ),
    );
    server.listen(Number(listen.slice(at + 1)), listen.slice(0, at).replace(/^\[|\]$/g, "") || undefined, resolve);
  });
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Signs tokens; kept, so that tokens stay good over a restart. */
function tokenSecret(root: string): Buffer {
  const path = join(root, "token-secret");
  try {
    writeFileSync(path, randomBytes(32), { flag: "wx", mode: 0o600 });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
  }
  return readFileSync(path);
}
