import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";
import { addContainerOptions } from "../../options/container.ts";
import { type ContainerFlags, toContainerSpec } from "../../options/container-spec.ts";
import { createContainer } from "./run.ts";

export function define(command: Command, context: CliContext): void {
  addContainerOptions(command)
    .addHelpText("after", `\nExample:\n  ${context.program} start -a $(${context.program} create busybox echo hello)`)
    .action(async (image: string, args: string[], flags: ContainerFlags) => {
      print(
        context,
        await createContainer(context, await context.engine(), toContainerSpec(image, args, flags, context), flags),
      );
    });
}
