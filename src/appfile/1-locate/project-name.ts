import { posix } from "node:path";
import { BerthError } from "../../base/errors.ts";

/** Lower case, [a-z0-9_-] only, no leading "_" or "-": what a directory or a `name:` becomes. May be empty. */
export function normalizeProjectName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
}

export interface NameSources {
  /** -p */
  flag?: string;
  /** COMPOSE_PROJECT_NAME */
  variable?: string;
  /** The last `name:`, interpolated. */
  inFile?: string;
  directory: string;
}

/** -p, else COMPOSE_PROJECT_NAME, both of which must be well formed; else `name:`, else the directory, both made so. */
export function projectName({ flag, variable, inFile, directory }: NameSources): string {
  for (const [given, origin] of [
    [flag, "-p"],
    [variable, "COMPOSE_PROJECT_NAME"],
  ] as const) {
    if (!given) continue;
    if (normalizeProjectName(given) !== given) {
      throw new BerthError("invalid", `the app name ${JSON.stringify(given)} given by ${origin} is not well formed`, {
        hint: `use lower case letters, digits, dashes and underscores, first a letter or digit: ${normalizeProjectName(given) || "myapp"}`,
      });
    }
    return given;
  }
  const name = normalizeProjectName(inFile || posix.basename(directory)) || normalizeProjectName(inFile ?? "");
  if (name === "") {
    throw new BerthError(
      "invalid",
      `naming the app after ${inFile ? `name: ${inFile}` : directory}: no letter or digit is left`,
      {
        hint: "give a name with -p, or with name: in the app file",
      },
    );
  }
  return name;
}
