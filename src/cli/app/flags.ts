import type { Command } from "commander";
import { BerthError } from "../../base/errors.ts";
import { collect } from "../options/container.ts";

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
