import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { BerthError } from "../../../base/errors.ts";

/** Claims the --cidfile before anything is made, so that two runs cannot share one. The returned function writes the id. */
export function claimCidFile(path: string | undefined, cwd: string): ((id: string) => void) | undefined {
  if (path === undefined) return undefined;
  const file = resolve(cwd, path);
  let fd: number;
  try {
    fd = openSync(file, "wx");
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === "EEXIST";
    throw new BerthError(
      exists ? "already_exists" : "invalid",
      `--cidfile ${path}: ${exists ? "the file exists" : (cause as Error).message}`,
      {
        cause,
        hint: exists ? "remove it if no container of that id is wanted any more" : undefined,
      },
    );
  }
  process.once("exit", code => {
    if (code !== 0 && written === false) rmSync(file, { force: true });
  });
  let written = false;
  return id => {
    writeSync(fd, id);
    closeSync(fd);
    written = true;
  };
}
