import { spawn } from "node:child_process";
import { join } from "node:path";

/** `npm run check`: every cheap check, side by side; the output of those that fail. */
const checks: [name: string, program: string, ...args: string[]][] = [
  ["types", "tsc", "-p", "."],
  ["style", "biome", "check", "--diagnostic-level=error", "."],
  ["unused", "knip"],
  ["house", "vitest", "run", "--project", "unit", "test/house"],
];

const root = join(import.meta.dirname, "..");

function runCheck([name, program, ...args]: (typeof checks)[number]): Promise<boolean> {
  return new Promise(resolve => {
    const child = spawn(join(root, "node_modules/.bin", program), args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", chunk => (output += chunk));
    child.stderr.on("data", chunk => (output += chunk));
    child.once("error", error => (output += error.message));
    child.once("close", code => {
      console.log(`${code === 0 ? "ok  " : "FAIL"} ${name}`);
      if (code !== 0) console.log(output);
      resolve(code === 0);
    });
  });
}

const results = await Promise.all(checks.map(runCheck));
if (results.includes(false)) process.exitCode = 1;
