import { readFileSync } from "node:fs";
import { BerthError } from "../../base/errors.ts";
import type { App, FileOrigin } from "../../model/app.ts";
import type { CliContext } from "../context.ts";

/** Contents of the secrets and configs that come from files and variables of where the command runs, as `up` takes them. */
export function readContents(app: App, context: Pick<CliContext, "environment">): Record<string, string> {
  const contents: Record<string, string> = {};
  for (const kind of ["secrets", "configs"] as const) {
    for (const [key, { origin }] of Object.entries(app[kind])) {
      const data = read(origin, `${kind.slice(0, -1)} ${key}`, context);
      if (data !== undefined) contents[`${kind}.${key}`] = data.toString("base64");
    }
  }
  return contents;
}

function read(origin: FileOrigin, what: string, { environment }: Pick<CliContext, "environment">): Buffer | undefined {
  if (origin.from === "environment") {
    const value = environment[origin.variable];
    if (value === undefined)
      throw new BerthError("invalid", `${what}: the environment has no ${origin.variable}`, {
        hint: `export ${origin.variable}=…`,
      });
    return Buffer.from(value);
  }
  if (origin.from !== "file") return undefined;
  try {
    return readFileSync(origin.path);
  } catch (cause) {
    throw new BerthError("invalid", `${what}: reading its file failed: ${(cause as Error).message}`, { cause });
  }
}
