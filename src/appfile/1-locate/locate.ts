import { posix } from "node:path";
import { BerthError } from "../../base/errors.ts";
import { lookupIn } from "../3-interpolate/template.ts";
import type { LoadInput } from "../input.ts";
import type { Problem } from "../problems.ts";
import type { Reader } from "../reader.ts";
import { parseDotenv } from "./dotenv.ts";

const fileNames = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const overrideNames = [
  "compose.override.yaml",
  "compose.override.yml",
  "docker-compose.override.yml",
  "docker-compose.override.yaml",
];

export interface Located {
  /** Absolute, or "-"; in the order in which they override. */
  paths: string[];
  directory: string;
  /** Process, then .env or --env-file. */
  environment: Record<string, string>;
  warnings: Problem[];
}

/**
 * Which files make the app, where its relative paths start, and what its variables are. Files: those given, else COMPOSE_FILE,
 * else the first usual name in the working directory or a directory above it, with its override file.
 */
export function locate(input: LoadInput, reader: Reader): Located {
  const start = posix.resolve(input.workingDirectory);
  const given = input.projectDirectory === undefined ? undefined : posix.resolve(start, input.projectDirectory);
  const first = withEnvFiles(input, reader, given ?? start);
  const warnings: Problem[] = [];
  const paths = givenPaths(input, first) ?? search(start, reader, warnings);
  const [path] = paths;
  const directory = given ?? (path === undefined || path === "-" ? start : posix.dirname(path));
  const environment = directory === (given ?? start) ? first : withEnvFiles(input, reader, directory);
  return { paths, directory, environment, warnings };
}

function withEnvFiles(input: LoadInput, reader: Reader, directory: string): Record<string, string> {
  const given = input.envFiles ?? [];
  const paths =
    given.length > 0 ? given.map(path => posix.resolve(input.workingDirectory, path)) : [posix.join(directory, ".env")];
  return { ...readEnvFiles(paths, reader, input.environment, given.length > 0), ...input.environment };
}

/** The variables of dotenv files, later files over earlier ones; `environment` is what their variables see first. */
export function readEnvFiles(
  paths: readonly string[],
  reader: Reader,
  environment: Record<string, string>,
  required: boolean,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const path of paths) {
    const source = reader.read(path);
    if (!source && required) {
      throw new BerthError("invalid", `reading the env file ${path}: there is no such file`, {
        hint: "check --env-file",
      });
    }
    if (source)
      Object.assign(
        found,
        parseDotenv(source, name => lookupIn(environment)(name) ?? lookupIn(found)(name)),
      );
  }
  return found;
}

function givenPaths(input: LoadInput, environment: Record<string, string>): string[] | undefined {
  const resolve = (path: string) => (path === "-" ? path : posix.resolve(input.workingDirectory, path));
  if (input.paths && input.paths.length > 0) return input.paths.map(resolve);
  const variable = environment["COMPOSE_FILE"];
  if (!variable) return undefined;
  const separator = environment["COMPOSE_PATH_SEPARATOR"] || ":";
  const paths = variable.split(separator).filter(path => path !== "");
  return paths.length > 0 ? paths.map(resolve) : undefined;
}

function search(start: string, reader: Reader, warnings: Problem[]): string[] {
  for (let directory = start; ; directory = posix.dirname(directory)) {
    const present = (names: string[]) =>
      names.map(name => posix.join(directory, name)).filter(path => reader.read(path));
    const [found, ...others] = present(fileNames);
    if (found !== undefined) {
      if (others.length > 0) {
        const message = `several app files are here; ${posix.basename(found)} is used, not ${others.map(path => posix.basename(path)).join(", ")}`;
        warnings.push({ file: found, line: 1, column: 1, path: "", message });
      }
      const [override] = present(overrideNames);
      return override === undefined ? [found] : [found, override];
    }
    if (directory === "/" || directory === posix.dirname(directory)) break;
  }
  throw new BerthError("not_found", `looking for an app file in ${start} and above: there is none`, {
    hint: `write ${fileNames[0]}, or name a file with -f`,
  });
}
