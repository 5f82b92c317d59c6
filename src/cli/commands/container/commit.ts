import type { Command } from "commander";
import { type CliContext, print } from "../../context.ts";
import { collect } from "../../options/container.ts";

interface Flags {
  author?: string;
  message?: string;
  change: string[];
  pause: boolean;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container>", "name or id")
    .argument("[image]", "name of the new image")
    .option("-a, --author <author>", "who made it")
    .option("-m, --message <message>", "what was changed")
    .option("-c, --change <instruction>", "Dockerfile instruction for the new image, e.g. 'CMD [\"sh\"]'", collect, [])
    .option("--no-pause", "do not freeze the container meanwhile")
    .action(async (name: string, tag: string | undefined, flags: Flags) => {
      const { containers } = await context.engine();
      const image = await containers.commit(name, {
        tag,
        author: flags.author,
        message: flags.message,
        changes: flags.change,
        pause: flags.pause,
        signal: context.signal,
      });
      print(context, image.id);
    });
}
