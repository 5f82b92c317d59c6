import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runtimePackages, testPackages } from "./debian-packages.mjs";
import { installPackages, run, SetupError } from "./system.mjs";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** The Node that the project pins; scripts here start on whatever Node is installed. */
export const pinnedNode = join(root, "node_modules/node/bin/node");

/** Everything from a fresh clone to programs that can be started. Each step is skipped when it is already done. */
export async function prepare({ yes = false, tests = false } = {}) {
  if (process.platform !== "linux")
    throw new SetupError("Berth runs containers on Linux; on other systems use a Linux machine or a virtual one");
  await installPackages(tests ? { ...runtimePackages, ...testPackages } : runtimePackages, { yes });
  if (!modulesAreCurrent()) {
    console.log("Installing npm packages …");
    // Not `npm ci`: that refuses a lock file without optional packages of other platforms, which not every registry mirror has. Versions are the locked ones.
    run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: root });
  }
  if (!existsSync(pinnedNode)) {
    throw new SetupError(
      "npm did not unpack the pinned Node (its install script was not run): run 'npm rebuild node' in the project, then this again",
    );
  }
  run(pinnedNode, ["scripts/build.ts"], { cwd: root });
}

/** npm writes node_modules/.package-lock.json last: it is there and newer only after a whole install. */
function modulesAreCurrent() {
  const installed = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installed) || !existsSync(pinnedNode)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(readFileSync(installed, "utf8")).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional, peer }]) => path === "" || optional || peer || present[path]?.version === version,
  );
}

/** Environment for what is run with the pinned Node in front. */
export function pinnedEnvironment() {
  return { ...process.env, PATH: `${dirname(pinnedNode)}:${join(root, "node_modules/.bin")}:${process.env.PATH}` };
}

/** Runs a script's main function; failures are one line and what to do. */
export function main(work) {
  work().catch(thrown => {
    console.error(thrown instanceof SetupError ? `berth: ${thrown.message}` : thrown);
    process.exitCode = 1;
  });
}

export const saysYes = () => process.argv.includes("--yes") || Boolean(process.env.CI);
