import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { LoadedApp } from "../../appfile/input.ts";
import { BerthError } from "../../base/errors.ts";
import type { AppParam, ParamSpec } from "../../model/app.ts";
import type { CliContext } from "../context.ts";
import { collect } from "../options/container.ts";
import { askForParams } from "./ask.ts";

/** Which app is meant, and with what values. */
export interface AppFlags {
  file: string[];
  projectName?: string;
  projectDirectory?: string;
  profile: string[];
  envFile: string[];
  set: string[];
  answers?: string;
}

const shortNames: Record<string, string> = { "-f": "--file", "-p": "--project-name" };
const names = ["--file", "--project-name", "--project-directory", "--profile", "--env-file", "--set", "--answers"];
const listNames = new Set(["--file", "--profile", "--env-file", "--set"]);
const keyOf = (name: string) =>
  name.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()) as keyof AppFlags;

/** Options of the app before the command, as docker compose has them: `berth -f app.yaml logs web`. */
export function takeAppFlags(argv: string[]): { flags: AppFlags; rest: string[] } {
  const flags: AppFlags = { file: [], profile: [], envFile: [], set: [] };
  const rest = [...argv];
  while (rest[0]?.startsWith("-")) {
    const [given = "", inline] = rest[0].split(/=(.*)/s);
    const name = shortNames[given] ?? given;
    if (!names.includes(name)) break;
    const value = inline ?? rest.splice(1, 1)[0];
    if (value === undefined) throw new BerthError("invalid", `${given} needs a value`);
    if (listNames.has(name)) (flags[keyOf(name)] as string[]).push(value);
    else Object.assign(flags, { [keyOf(name)]: value });
    rest.shift();
  }
  return { flags, rest };
}

/** The same options after the command; `short: false` where -f or -p mean something else. */
export function addAppOptions(command: Command, { short = true, envFile = true } = {}): Command {
  const added = command
    .option(`${short ? "-f, " : ""}--file <path>`, "app file; several are merged in order", collect, [])
    .option(`${short ? "-p, " : ""}--project-name <name>`, "name of the app")
    .option("--project-directory <path>", "directory that relative paths start from")
    .option("--profile <name>", "profile to enable", collect, [])
    .option("--set <pair>", "value of a parameter, NAME=VALUE", collect, [])
    .option("--answers <path>", "file of parameters' values");
  return envFile ? added.option("--env-file <path>", "file of variables, instead of .env", collect, []) : added;
}

/** What was said before the command and after it, together. */
export function mergeFlags(before: AppFlags, after: AppFlags): AppFlags {
  return {
    file: [...before.file, ...after.file],
    profile: [...before.profile, ...after.profile],
    envFile: [...before.envFile, ...(after.envFile ?? [])],
    set: [...before.set, ...after.set],
    projectName: after.projectName ?? before.projectName,
    projectDirectory: after.projectDirectory ?? before.projectDirectory,
    answers: after.answers ?? before.answers,
  };
}

/** Loads the app that the flags (or the directory) name. Parameters without a value are asked for on a terminal, and named in the error elsewhere. */
export async function loadSelected(context: CliContext, given: AppFlags, services: string[] = []): Promise<LoadedApp> {
  const flags = mergeFlags(context.app, given);
  const asked: Record<string, string> = {};
  for (;;) {
    const result = await loadOnce(context, flags, services, asked);
    for (const warning of result.warnings) {
      context.stderr.write(`WARNING: ${warning.file}:${warning.line}: ${warning.message}\n`);
    }
    if (result.app !== undefined) return result;
    if (!context.stdin.isTTY) throw missingParams(result.missing);
    Object.assign(asked, await askForParams(context, result.missing));
  }
}

/** The loader and what it needs are only read when an app file is. */
async function loadOnce(context: CliContext, flags: AppFlags, services: string[], asked: Record<string, string>) {
  const [{ loadApp }, { parseSet }] = await Promise.all([
    import("../../appfile/load.ts"),
    import("../../appfile/params/answers.ts"),
  ]);
  return loadApp({
    files: context.files,
    workingDirectory: context.cwd,
    paths: flags.file,
    projectDirectory: flags.projectDirectory,
    projectName: flags.projectName,
    environment: definedOnly(context.environment),
    envFiles: flags.envFile,
    profiles: flags.profile.length > 0 ? flags.profile : undefined,
    services,
    set: { ...parseSet(flags.set), ...asked },
    answers: await readAnswers(flags.answers, context.cwd),
  });
}

/** The app's parameters, those without a value too, and the values of secret ones that were given. */
export async function loadParams(
  context: CliContext,
  given: AppFlags,
): Promise<{ params: (AppParam | ParamSpec)[]; secrets: Record<string, string> }> {
  const flags = mergeFlags(context.app, given);
  const result = await loadOnce(context, flags, [], {});
  const params = result.app ? result.app.params : [...result.params, ...result.missing];
  const [{ parseSet }, { variableOf }] = await Promise.all([
    import("../../appfile/params/answers.ts"),
    import("../../appfile/params/book.ts"),
  ]);
  const set = parseSet(flags.set);
  const answers = (await readAnswers(flags.answers, context.cwd)) ?? {};
  const secrets: Record<string, string> = {};
  for (const { name, type, default: own } of params) {
    const { environment } = context;
    const value = set[name] ?? answers[name] ?? environment[variableOf(name)] ?? environment[name] ?? own;
    if (type === "secret" && value !== undefined) secrets[name] = value;
  }
  return { params, secrets };
}

/** The name of the app that is meant, for commands on what runs: -p needs no file, and a file no values for its parameters. */
export async function selectedName(context: CliContext, given: AppFlags): Promise<string> {
  const flags = mergeFlags(context.app, given);
  if (flags.projectName !== undefined) return flags.projectName;
  const result = await loadOnce(context, flags, [], {});
  const name = result.app ? result.app.name : result.name;
  return name ?? (await loadSelected(context, given)).app.name;
}

async function readAnswers(path: string | undefined, cwd: string): Promise<Record<string, string> | undefined> {
  if (path === undefined) return undefined;
  const { parseAnswers } = await import("../../appfile/params/answers.ts");
  try {
    return parseAnswers(path, readFileSync(resolve(cwd, path), "utf8"));
  } catch (cause) {
    if (cause instanceof BerthError) throw cause;
    throw new BerthError("invalid", `--answers ${path}: ${(cause as Error).message}`, { cause });
  }
}

function missingParams(missing: ParamSpec[]): BerthError {
  const list = missing.map(
    ({ name, type, description }) => `  ${name} (${type})${description ? `: ${description}` : ""}`,
  );
  return new BerthError("invalid", `the app needs values for these parameters:\n${list.join("\n")}`, {
    hint: `give them with --set ${missing[0]?.name}=VALUE, or in a file with --answers`,
  });
}

function definedOnly(environment: CliContext["environment"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}
