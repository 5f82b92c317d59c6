import { type Command, Option } from "commander";
import { writeArchive } from "../../archive.ts";
import type { CliContext } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<image...>", "names or ids")
    .option("-o, --output <file>", "file to write, instead of stdout")
    .addOption(
      new Option("--format <format>", "kind of archive")
        .choices(["docker-archive", "oci-archive"])
        .default("docker-archive"),
    )
    .action(async (names: string[], flags: { output?: string; format: "docker-archive" | "oci-archive" }) => {
      const tar = await (await context.engine()).images.save(names, { format: flags.format, signal: context.signal });
      await writeArchive(context, tar, flags.output);
    });
}
