import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";
import { eraseCredentials } from "../../docker-config.ts";

export function define(command: Command, context: CliContext): void {
  command.argument("[registry]", "registry to log out of", "docker.io").action(async (registry: string) => {
    const had = await eraseCredentials(context.environment, registry);
    print(context, had ? `Removing login credentials for ${registry}` : `Not logged in to ${registry}`);
  });
}
