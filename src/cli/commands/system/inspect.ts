import { type Command, Option } from "commander";
import { BerthError, isCode } from "../../../base/errors.ts";
import type { CliContext, CliEngine } from "../../context.ts";
import { printInspected } from "../../output/rows.ts";

type Look = (engine: CliEngine, name: string) => Promise<unknown>;

/** In the order in which a name is looked for. */
const looks: Record<string, Look> = {
  container: (engine, name) => engine.containers.inspect(name),
  image: (engine, name) => engine.images.get(name),
  network: (engine, name) => engine.networks.get(name),
  volume: (engine, name) => engine.volumes.get(name),
};

export function define(command: Command, context: CliContext): void {
  command
    .argument("<name...>", "names or ids of anything")
    .addOption(new Option("--type <type>", "look only for this").choices(Object.keys(looks)))
    .option("-f, --format <format>", "Go template")
    .action(async (names: string[], flags: { type?: string; format?: string }) => {
      const engine = await context.engine();
      const wanted = Object.entries(looks).filter(([type]) => flags.type === undefined || type === flags.type);
      printInspected(context, await Promise.all(names.map(name => find(engine, name, wanted))), flags.format);
    });
}

async function find(engine: CliEngine, name: string, wanted: [string, Look][]): Promise<unknown> {
  for (const [, look] of wanted) {
    try {
      return await look(engine, name);
    } catch (thrown) {
      if (!isCode(thrown, "not_found", "invalid")) throw thrown;
    }
  }
  throw new BerthError("not_found", `no ${wanted.map(([type]) => type).join(", ")} is called ${name}`);
}
