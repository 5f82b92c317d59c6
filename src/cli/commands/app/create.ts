import type { Command } from "commander";
import { follow } from "../../app/follow.ts";
import { loadSelected } from "../../app/selection.ts";
import type { CliContext } from "../../context.ts";
import { addUpOptions, toUpOptions } from "./up.ts";

export function define(command: Command, context: CliContext): void {
  addUpOptions(command).action(async (services: string[], flags: Parameters<typeof toUpOptions>[2]) => {
    const { app } = await loadSelected(context, flags, services);
    const options = { ...toUpOptions(app, services, flags, context), noStart: true };
    await follow(context, (await context.backend("apps")).up(app, options));
    context.stderr.write(`${app.name}: ready; '${context.program} app start' starts it\n`);
  });
}
