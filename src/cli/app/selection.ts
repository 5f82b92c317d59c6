import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { LoadedApp } from "../../appfile/input.ts";
import { BerthError } from "../../base/errors.ts";
import type { AppParam, ParamSpec } from "../../model/app.ts";
import type { CliContext } from "../context.ts";
import { askForParams } from "./ask.ts";
import { type AppFlags, mergeFlags } from "./flags.ts";

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
