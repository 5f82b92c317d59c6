import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";

/** What a newcomer would type, typed for them: each command is shown before it runs, and its output as it comes. */
const root = join(import.meta.dirname, "..");
const appFile = "examples/guestbook/compose.yaml";

function berth(...args: string[]): void {
  console.log(`\n\x1b[1m$ bin/berth ${args.join(" ")}\x1b[0m`);
  const { status, error } = spawnSync(join(root, "bin/berth"), args, { stdio: "inherit", cwd: root });
  if (error) throw error;
  if (status !== 0) {
    console.error(
      "\nThe demo ends here. The message above says what was found and what to do; 'npm start' goes on from where it stopped.",
    );
    process.exit(status ?? 1);
  }
}

function has(image: string): boolean {
  return spawnSync(join(root, "bin/berth"), ["image", "inspect", image], { stdio: "ignore", cwd: root }).status === 0;
}

/** The demo's usual port, or the next one that nobody listens on. A guestbook that is up already keeps its own. */
async function choosePort(): Promise<number> {
  const running = spawnSync(
    join(root, "bin/berth"),
    ["-p", "guestbook", "app", "ps", "web", "--format", "{{(index .ports 0).hostPort}}"],
    { encoding: "utf8", cwd: root },
  );
  const own = Number(running.stdout.split("\n")[0]);
  if (own > 0) return own;
  for (let port = 8080; port < 8180; port++) if (await isFree(port)) return port;
  return 8080;
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen(port, () => server.close(() => resolve(true)));
  });
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  return answer?.ok === true && (await answer.text()).includes("Guestbook");
}

console.log("Berth's host process, berthd, starts by itself with the first command that needs it.");
berth("info");
if (!has("debian:bookworm-slim")) {
  console.log(
    "\nNo base image is here yet. Berth makes one from Debian's packages (with a registry at hand it would be pulled).",
  );
  berth("image", "bootstrap", "debian:bookworm-slim");
}
const port = await choosePort();
berth("-f", appFile, "plan", "--set", `port=${port}`);
berth("-f", appFile, "up", "--detach", "--wait", "--set", `port=${port}`, "--message", "npm start");
berth("-p", "guestbook", "app", "ps");
const url = `http://127.0.0.1:${port}/`;
if (!(await answers(url))) {
  console.error(
    `\nThe guestbook does not answer at ${url}: 'bin/berth -p guestbook why' and 'bin/berth -p guestbook app logs' say more.`,
  );
  process.exit(1);
}
console.log(`
The guestbook answers at \x1b[1m${url}\x1b[0m  Entries are kept in a volume: they are still there after 'down' and 'up'.

Look further:
  bin/berth -p guestbook app logs -f     what the tasks write
  bin/berth -p guestbook why web         why it is as it is
  bin/berth -f ${appFile} scale web=5
  bin/berth ps                           all containers of this host
  bin/berth run --rm -it debian:bookworm-slim bash
Stop:
  bin/berth -p guestbook down            (with -v the entries go too)`);
