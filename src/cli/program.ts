import { Command, CommanderError } from "commander";
import { asBerthError } from "../base/errors.ts";
import { mergeFlags, takeAppFlags } from "./app/flags.ts";
import { type CommandEntry, commands, findCommand } from "./commands.ts";
import type { CliContext } from "./context.ts";
import { ExitWith, formatError } from "./exit.ts";
import { nearest } from "./output/nearest.ts";

/** Runs one command line; returns the exit code. Only the module of the command that was asked for is loaded. */
export async function runCli(context: CliContext, argv: string[]): Promise<number> {
  try {
    return await dispatch(context, argv);
  } catch (thrown) {
    if (thrown instanceof ExitWith) return thrown.exitCode;
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 125;
    if (context.signal.aborted) return 130;
    const error = asBerthError(thrown);
    context.stderr.write(formatError(context.program, error));
    if (context.environment["BERTH_DEBUG"]) context.stderr.write(`${error.stack}\n${error.cause ?? ""}\n`);
    return Number(error.details?.["exitCode"] ?? error.exitCode) || 125;
  }
}

async function dispatch(context: CliContext, all: string[]): Promise<number> {
  const { flags, rest: argv } = takeAppFlags(all);
  context.app = mergeFlags(context.app, flags);
  const [first, second] = argv;
  if (first === undefined || first === "--help" || first === "-h" || (first === "help" && second === undefined)) {
    context.stdout.write(overview(context.program));
    return 0;
  }
  if (first === "--version" || first === "-v") return dispatch(context, ["version", "--short"]);
  if (first === "help") return dispatch(context, [...argv.slice(1), "--help"]);
  const found = findCommand(argv);
  if (found === undefined) return unknown(context, argv);
  if (found.kind === "group") {
    context.stdout.write(groupHelp(context.program, found.name));
    return found.asked ? 0 : 125;
  }
  const command = configure(new Command(found.entry.name), context);
  const { define } = await found.entry.load();
  define(command, context);
  command.name(`${context.program} ${found.entry.name}`);
  if (command.summary() === "") command.description(found.entry.summary);
  await command.parseAsync(found.rest, { from: "user" });
  return 0;
}

function configure(command: Command, context: CliContext): Command {
  return command
    .exitOverride()
    .showSuggestionAfterError()
    .allowExcessArguments(false)
    .configureHelp({ helpWidth: Math.min(context.stdout.columns ?? 80, 120) })
    .configureOutput({
      writeOut: text => context.stdout.write(text),
      writeErr: text => context.stderr.write(text.replace(/^error: /, `${context.program}: `)),
    })
    .showHelpAfterError(`hint: '${context.program} ${command.name()} --help' shows what it takes`);
}

function unknown(context: CliContext, argv: string[]): number {
  const guess = nearest(
    argv[0]!,
    commands.map(entry => entry.name.split(" ")[0]!),
  );
  context.stderr.write(`${context.program}: '${argv[0]}' is not a command\n`);
  context.stderr.write(
    `hint: ${guess ? `did you mean '${context.program} ${guess}'? ` : ""}'${context.program} --help' lists all\n`,
  );
  return 125;
}

function overview(program: string): string {
  const groups = new Map<string, CommandEntry[]>();
  for (const entry of commands) {
    if (entry.hidden) continue;
    groups.set(entry.group, [...(groups.get(entry.group) ?? []), entry]);
  }
  const lines = [
    `Usage: ${program} COMMAND [ARGUMENTS]`,
    "",
    "Runs containers and whole applications on your machines.",
    "",
  ];
  for (const [group, entries] of groups) {
    lines.push(`${group}:`);
    for (const entry of entries) lines.push(`  ${entry.name.padEnd(20)} ${entry.summary}`);
    lines.push("");
  }
  lines.push(`'${program} COMMAND --help' shows a command's options and examples.`, "");
  return lines.join("\n");
}

function groupHelp(program: string, group: string): string {
  const entries = commands.filter(entry => entry.name.startsWith(`${group} `));
  const lines = entries.map(entry => `  ${entry.name.slice(group.length + 1).padEnd(14)} ${entry.summary}`);
  return [
    `Usage: ${program} ${group} COMMAND`,
    "",
    ...lines,
    "",
    `'${program} ${group} COMMAND --help' shows its options and examples.`,
    "",
  ].join("\n");
}
