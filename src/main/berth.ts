import { asBerthError } from "../base/errors.ts";
import type { CliEngine } from "../cli/context.ts";
import { formatError } from "../cli/exit.ts";
import { runCli } from "../cli/program.ts";
import { createCliContext } from "./cli-context.ts";
import { connectToHost } from "./connect.ts";
import { readSettings } from "./settings.ts";

/** `berth`: the command line, through this host's berthd. */
async function main(): Promise<number> {
  const { settings, rest } = readSettings(process.argv.slice(2), process.env);
  let engine: Promise<CliEngine> | undefined;
  const context = createCliContext("berth", {
    engine() {
      engine ??= connectToHost(settings);
      return engine;
    },
  });
  return await runCli(context, rest);
}

main().then(
  // Open connections to berthd would keep the program waiting; output to pipes must be flushed first.
  code => void process.stdout.write("", () => process.exit(code)),
  thrown => {
    process.stderr.write(formatError("berth", asBerthError(thrown)));
    process.exit(125);
  },
);
