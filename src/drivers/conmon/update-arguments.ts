import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The verb that changes limits (`linux.resources` of the OCI specification), with its file, which is gone after use. */
export async function updateArguments(
  id: string,
  resources: Record<string, unknown>,
  directory: string,
): Promise<{ arguments: string[] } & AsyncDisposable> {
  const path = join(directory, `update-${randomBytes(6).toString("hex")}.json`);
  await writeFile(path, JSON.stringify(resources));
  return {
    arguments: ["update", "--resources", path, id],
    [Symbol.asyncDispose]: () => rm(path, { force: true }),
  };
}
