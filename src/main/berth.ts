import { asBerthError } from "../base/errors.ts";
import { formatError } from "../cli/exit.ts";
import { runCli } from "../cli/program.ts";
import { createCliContext } from "./cli-context.ts";
import { connectToHost, type HostClient } from "./connect.ts";
import { readSettings } from "./settings.ts";

/** `berth`: the command line, through this host's berthd. */
async function main(): Promise<number> {
  const { settings, rest } = readSettings(process.argv.slice(2), process.env);
  let host: Promise<HostClient> | undefined;
  const connect = () => (host ??= connectToHost(settings));
  const context = createCliContext("berth", {
    engine: connect,
    backend: async name => (await connect())[name],
    restoreStore: async backup => (await import("./restore-host.ts")).restoreHost(settings, backup),
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
