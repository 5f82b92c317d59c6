import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** What a newcomer would type, typed for them: each command is shown before it runs, and its output as it comes. */
const root = join(import.meta.dirname, "..");

function berth(...args: string[]): void {
  console.log(`\n\x1b[1m$ berth ${args.join(" ")}\x1b[0m`);
  const { status, error } = spawnSync(join(root, "bin/berth"), args, { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

console.log("Berth's host process starts by itself with the first command that needs it.");
berth("info");
berth("image", "bootstrap", "busybox");
berth("run", "--rm", "busybox", "echo", "Hello from a container.");
console.log(`
Go on with:
  bin/berth run --rm -it busybox sh
  bin/berth run -d --name web -p 8080:80 busybox httpd -f -h /etc
  bin/berth ps
  bin/berth --help`);
