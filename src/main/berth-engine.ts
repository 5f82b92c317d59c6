import { mkdirSync } from "node:fs";
import { serveBuilder } from "../api/builder/remote-builder.ts";
import { systemClock } from "../base/clock.ts";
import { asBerthError, BerthError } from "../base/errors.ts";
import { lineLogger } from "../base/log.ts";
import { formatError } from "../cli/exit.ts";
import { runCli } from "../cli/program.ts";
import { createCliContext } from "./cli-context.ts";
import { createEngine } from "./create-engine.ts";
import { readSettings } from "./settings.ts";

/** `berth-engine`: the same commands as `berth`, carried out by this very process; no berthd is needed or asked. */
async function main(): Promise<number> {
  const { settings, rest } = readSettings(process.argv.slice(2), process.env);
  const logger = lineLogger(settings.debug ? "debug" : "warn", systemClock.now_ms, line => process.stderr.write(line));
  const open = () => {
    if (process.getuid?.() !== 0) {
      throw new BerthError("forbidden", "making containers needs root", { hint: "use sudo" });
    }
    for (const directory of [settings.root, settings.run]) mkdirSync(directory, { recursive: true, mode: 0o711 });
    return createEngine(settings, process.env, logger);
  };
  if (rest[0] === "internal") return await internal(open().engine, rest.slice(1));
  let parts: ReturnType<typeof open> | undefined;
  const context = createCliContext("berth-engine", {
    async engine() {
      parts ??= open();
      return parts.engine;
    },
    async backend(name) {
      if (name !== "builder")
        throw new BerthError("unsupported", `berth-engine has no ${name}`, {
          hint: "apps need berthd, which decides and watches: use 'berth'",
        });
      parts ??= open();
      return serveBuilder(parts.builder) as never;
    },
  });
  return await runCli(context, rest);
}

/** What the engine asks of itself in another process: after a container's end, and while one needs care that no berthd gives. */
async function internal(
  engine: ReturnType<typeof createEngine>["engine"],
  [task = "", id = ""]: string[],
): Promise<number> {
  if (task === "on-exit") await engine.onExit(id);
  else if (task === "keep") await engine.keep(id);
  else throw new BerthError("invalid", `"internal ${task}" is no task`);
  return 0;
}

main().then(
  code => void process.stdout.write("", () => process.exit(code)),
  thrown => {
    process.stderr.write(formatError("berth-engine", asBerthError(thrown)));
    process.exit(125);
  },
);
