import type { Command } from "commander";
import {
  printDocument,
  printEnvironment,
  printHashes,
  printImages,
  printNetworks,
  printProfiles,
  printServices,
  printVolumes,
} from "../../../appfile/print.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { loadSelected } from "../../app/selection.ts";
import { type CliContext, print } from "../../context.ts";

interface Flags extends AppFlags {
  format: "yaml" | "json";
  services?: boolean;
  volumes?: boolean;
  networks?: boolean;
  images?: boolean;
  profiles?: boolean;
  environment?: boolean;
  hash?: string;
  quiet?: boolean;
}

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "only these"))
    .option("--format <format>", "yaml or json", "yaml")
    .option("--services", "names of services")
    .option("--volumes", "names of volumes")
    .option("--networks", "names of networks")
    .option("--images", "names of images")
    .option("--profiles", "names of profiles")
    .option("--environment", "variables that values are filled in from")
    .option("--hash <services>", "hash of services' configurations, or * for all")
    .option("-q, --quiet", "only check")
    .action(async (services: string[], flags: Flags) => {
      const { app, document } = await loadSelected(context, flags, services);
      if (flags.quiet) return;
      if (flags.services) return print(context, printServices(app));
      if (flags.volumes) return print(context, printVolumes(app));
      if (flags.networks) return print(context, printNetworks(app));
      if (flags.images) return print(context, printImages(app));
      if (flags.profiles) return print(context, printProfiles(app));
      if (flags.hash !== undefined) return print(context, printHashes(app, flags.hash));
      if (flags.environment) return print(context, printEnvironment(context.environment as Record<string, string>));
      print(context, printDocument(document, flags.format));
    });
}
