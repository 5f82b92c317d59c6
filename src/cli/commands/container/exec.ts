import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import { type CliContext, print } from "../../context.ts";
import { ExitWith } from "../../exit.ts";
import { collect } from "../../options/container.ts";
import { parseEnvironment, readEnvironmentFile } from "../../options/environment.ts";
import { joinSession } from "../../terminal.ts";

export interface ExecFlags {
  detach?: boolean;
  detachKeys: string;
  env: string[];
  envFile: string[];
  interactive?: boolean;
  privileged?: boolean;
  tty?: boolean;
  user?: string;
  workdir?: string;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("<container>", "name or id")
    .argument("<command...>", "program and arguments")
    .passThroughOptions()
    .option("-d, --detach", "leave it running in the background")
    .option("--detach-keys <keys>", "keys that leave it running", "ctrl-p,ctrl-q")
    .option("-e, --env <pair>", "environment variable", collect, [])
    .option("--env-file <file>", "file of environment variables", collect, [])
    .option("-i, --interactive", "keep stdin open")
    .option("--privileged", "with all capabilities")
    .option("-t, --tty", "give it a terminal")
    .option("-u, --user <user>", "user[:group]")
    .option("-w, --workdir <path>", "working directory")
    .addHelpText("after", `\nExample:\n  ${context.program} exec -it web sh`)
    .action((name: string, args: string[], flags: ExecFlags) => execute(context, name, args, flags));
}

/** Runs a command in a container, joined to this terminal; ends with its exit code. */
export async function execute(context: CliContext, name: string, args: string[], flags: ExecFlags): Promise<void> {
  if (flags.tty && flags.interactive && !flags.detach && !context.stdin.isTTY) {
    throw new BerthError("invalid", "-t with -i needs a terminal, and the input is none", {
      hint: "leave out -t when piping into the command",
    });
  }
  const { containers } = await context.engine();
  const env = [
    ...flags.envFile.flatMap(path => readEnvironmentFile(path, context.cwd, context.environment)),
    ...parseEnvironment(flags.env, context.environment),
  ];
  const id = await containers.createExec(name, {
    args,
    env,
    workingDir: flags.workdir,
    user: flags.user,
    tty: flags.tty,
    stdin: flags.interactive,
    privileged: flags.privileged,
  });
  const { rows, columns } = context.stdout;
  const session = await containers.startExec(id, { detach: flags.detach, tty: flags.tty, rows, columns });
  if (session === undefined) return print(context, id);
  await using joined = session;
  const result = await joinSession(context, joined, {
    interactive: flags.interactive === true,
    tty: flags.tty === true,
    detachKeys: flags.detachKeys,
    resize: (height, width) => containers.resizeExec(id, height, width),
  });
  if (result === "detached") return;
  throw new ExitWith(await containers.waitExec(id));
}
