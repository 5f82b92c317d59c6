import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Environment } from "../base/env.ts";
import { BerthError } from "../base/errors.ts";

/** docker's own file, so that one login serves both programs. */
interface DockerConfig {
  auths?: Record<string, { auth?: string }>;
  [key: string]: unknown;
}

/** docker writes Docker Hub under this name. */
const keyOf = (registry: string) => (registry === "docker.io" ? "https://index.docker.io/v1/" : registry);

function configPath(environment: Environment): string {
  return join(environment["DOCKER_CONFIG"] ?? join(environment["HOME"] ?? homedir(), ".docker"), "config.json");
}

async function change(environment: Environment, edit: (config: DockerConfig) => void): Promise<void> {
  const path = configPath(environment);
  let config: DockerConfig = {};
  try {
    config = JSON.parse(await readFile(path, "utf8")) as DockerConfig;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT")
      throw new BerthError("invalid", `${path} cannot be read as JSON`, { cause, hint: "mend it or move it away" });
  }
  edit(config);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, `${JSON.stringify(config, null, "\t")}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

export function storeCredentials(
  environment: Environment,
  registry: string,
  { username, password }: { username: string; password: string },
): Promise<void> {
  return change(environment, config => {
    config.auths = {
      ...config.auths,
      [keyOf(registry)]: { auth: Buffer.from(`${username}:${password}`).toString("base64") },
    };
  });
}

/** Whether there was something to forget. */
export async function eraseCredentials(environment: Environment, registry: string): Promise<boolean> {
  let had = false;
  await change(environment, config => {
    had = config.auths?.[keyOf(registry)] !== undefined;
    if (had) delete config.auths![keyOf(registry)];
  });
  return had;
}
