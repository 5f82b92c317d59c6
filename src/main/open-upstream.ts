import { homedir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import type { Environment } from "../base/env.ts";
import { runProgram } from "../drivers/programs/run-program.ts";
import type { Upstream } from "../registry/registry.ts";

/** What a mirror mirrors. Loaded only for mirrors: a client of registries is a large part of a program that is none. */
export async function openUpstream(domain: string, environment: Environment): Promise<Upstream> {
  const { RegistryClients } = await import("../image/distribution/registry-clients.ts");
  const { createUpstream } = await import("../registry/upstream.ts");
  const clients = new RegistryClients({
    clock: systemClock,
    random: Math.random,
    runProgram,
    dockerConfig: environment["DOCKER_CONFIG"] ?? join(environment["HOME"] ?? homedir(), ".docker"),
  });
  return createUpstream(clients, domain);
}
