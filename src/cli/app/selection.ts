import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { LoadedApp } from "../../appfile/input.ts";
import { loadApp } from "../../appfile/load.ts";
import { parseAnswers, parseSet } from "../../appfile/params/answers.ts";
import { BerthError } from "../../base/errors.ts";
import type { ParamSpec } from "../../model/app.ts";
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
export function addAppOptions(command: Command, { short = true } = {}): Command {
  return command
    .option(`${short ? "-f, " : ""}--file <path>`, "app file; several are merged in order", collect, [])
    .option(`${short ? "-p, " : ""}--project-name <name>`, "name of the app")
    .option("--project-directory <path>", "directory that relative paths start from")
    .option("--profile <name>", "profile to enable", collect, [])
    .option("--env-file <path>", "file of variables, instead of .env", collect, [])
    .option("--set <pair>", "value of a parameter, NAME=VALUE", collect, [])
    .option("--answers <path>", "file of parameters' values");
}

/** What was said before the command and after it, together. */
export function mergeFlags(before: AppFlags, after: AppFlags): AppFlags {
  return {
    file: [...before.file, ...after.file],
    profile: [...before.profile, ...after.profile],
    envFile: [...before.envFile, ...after.envFile],
    set: [...before.set, ...after.set],
    projectName: after.projectName ?? before.projectName,
    projectDirectory: after.projectDirectory ?? before.projectDirectory,
    answers: after.answers ?? before.answers,
  };
}

/** Loads the app that the flags (or the directory) name. Parameters without a value are asked for on a terminal, and named in the error elsewhere. */
export async function loadSelected(context: CliContext, given: AppFlags, services: string[] = []): Promise<LoadedApp> {
  const flags = mergeFlags(context.app, given);
  const set = parseSet(flags.set);
  for (;;) {
    const result = loadApp({
      files: context.files,
      workingDirectory: context.cwd,
      paths: flags.file,
      projectDirectory: flags.projectDirectory,
      projectName: flags.projectName,
      environment: definedOnly(context.environment),
      envFiles: flags.envFile,
      profiles: flags.profile.length > 0 ? flags.profile : undefined,
      services,
      set,
      answers: readAnswers(flags.answers, context.cwd),
    });
    for (const warning of result.warnings) {
      context.stderr.write(`WARNING: ${warning.file}:${warning.line}: ${warning.message}\n`);
    }
    if (result.app !== undefined) return result;
    if (!context.stdin.isTTY) throw missingParams(result.missing);
    Object.assign(set, await askForParams(context, result.missing));
  }
}

/** The name of the app that is meant, for commands on what runs: -p needs no file. */
export async function selectedName(context: CliContext, given: AppFlags): Promise<string> {
  const flags = mergeFlags(context.app, given);
  if (flags.projectName !== undefined) return flags.projectName;
  return (await loadSelected(context, given)).app.name;
}

function readAnswers(path: string | undefined, cwd: string): Record<string, string> | undefined {
  if (path === undefined) return undefined;
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
