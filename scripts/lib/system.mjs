import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { createInterface } from "node:readline/promises";

export class SetupError extends Error {}

/** Runs a program with its output shown; throws with what to do when it fails. */
export function run(program, args, options = {}) {
  const result = spawnSync(program, args, { stdio: "inherit", ...options });
  if (result.error) throw new SetupError(`${program} could not be started: ${result.error.message}`);
  if (result.status !== 0)
    throw new SetupError(`'${program} ${args.join(" ")}' failed with exit code ${result.status ?? result.signal}`);
}

export function isThere(program) {
  if (program.startsWith("/")) return existsSync(program);
  const folders = [
    ...(process.env.PATH ?? "").split(":"),
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
  ];
  return folders.some(folder => {
    try {
      accessSync(`${folder}/${program}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export function missingOf(packages) {
  return Object.entries(packages)
    .filter(([, [program]]) => !isThere(program))
    .map(([name]) => name);
}

const isDebian = () => existsSync("/etc/debian_version") && isThere("apt-get");

/** Installs what is missing; asks first unless `yes`. Where it cannot, says exactly what to install. */
export async function installPackages(packages, { yes }) {
  const missing = missingOf(packages);
  if (missing.length === 0) return;
  console.log("Berth needs these Debian packages, which are not installed:");
  for (const name of missing) console.log(`  ${name.padEnd(18)} ${packages[name][1]}`);
  const command = `apt-get install --no-install-recommends -y ${missing.join(" ")}`;
  if (!isDebian())
    throw new SetupError(
      `this is not a Debian system: install the programs that these packages hold with your own package manager`,
    );
  if (process.getuid() !== 0) throw new SetupError(`not root: run 'sudo ${command}', then this again`);
  if (!yes && !(await agreed(`Run '${command}'?`)))
    throw new SetupError(`nothing was installed; run '${command}' yourself, then this again`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const args = ["install", "--no-install-recommends", "-y", "-q", ...missing];
  // A package list that is missing or old is the usual reason for a first failure.
  if (spawnSync("apt-get", args, { stdio: "ignore", env }).status === 0) return;
  run("apt-get", ["update", "-q"], { env });
  run("apt-get", args, { env });
}

async function agreed(question) {
  if (!process.stdin.isTTY) throw new SetupError(`${question} There is nobody to ask: add --yes`);
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^(y(es)?)?$/i.test((await reader.question(`${question} [Y/n] `)).trim());
  } finally {
    reader.close();
  }
}
