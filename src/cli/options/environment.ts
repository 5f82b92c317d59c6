import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Environment } from "../../base/env.ts";
import { BerthError } from "../../base/errors.ts";

/** -e KEY=VALUE, or KEY to pass on the caller's own (left out where the caller has none). */
export function parseEnvironment(pairs: string[], own: Environment): string[] {
  return pairs.flatMap(pair => {
    if (pair.startsWith("=") || pair === "")
      throw new BerthError("invalid", `environment variable "${pair}" has no name`, { hint: "write -e NAME=VALUE" });
    if (pair.includes("=")) return [pair];
    const value = own[pair];
    return value === undefined ? [] : [`${pair}=${value}`];
  });
}

/** Docker's --env-file: one KEY=VALUE (or KEY) a line, # comments, no quotes. */
export function readEnvironmentFile(path: string, cwd: string, own: Environment): string[] {
  return parseEnvironment(readLines(path, cwd, "--env-file"), own);
}

/** --label-file, same shape. */
export function readLabelFile(path: string, cwd: string): Record<string, string> {
  return parseLabels(readLines(path, cwd, "--label-file"));
}

export function parseLabels(pairs: string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map(pair => {
      const at = pair.indexOf("=");
      return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function readLines(path: string, cwd: string, flag: string): string[] {
  let text: string;
  try {
    text = readFileSync(resolve(cwd, path), "utf8");
  } catch (cause) {
    throw new BerthError("invalid", `${flag} ${path}: ${(cause as Error).message}`, {
      cause,
      hint: "the path is relative to where the command runs",
    });
  }
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map(line => line.trimStart())
    .filter(line => line !== "" && !line.startsWith("#"));
}
