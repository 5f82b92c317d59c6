import type { Command } from "commander";
import type { CliContext } from "./context.ts";

export interface CommandModule {
  /** Adds arguments, options, examples and the action. */
  define(command: Command, context: CliContext): void;
}

export interface CommandEntry {
  /** One word, or a noun and a verb ("image ls"). */
  name: string;
  group: string;
  summary: string;
  hidden?: boolean;
  load(): Promise<CommandModule>;
}

type Row = [name: string, summary: string, load: () => Promise<CommandModule>];

const group = (title: string, rows: Row[]): CommandEntry[] =>
  rows.map(([name, summary, load]) => ({ name, summary, load, group: title }));

/** The same command under another name: docker's habits ("ps" and "container ls"). */
const aliases: Record<string, string> = {
  "app up": "up",
  "app down": "down",
  "app plan": "plan",
  "app ls": "ls",
  "app why": "why",
  "app history": "history",
  "app rollback": "rollback",
  "app scale": "scale",
  "app config": "config",
  "app convert": "config",
  "app watch": "watch",
  "app params": "params",
  "app answers": "answers",
  "app version": "version",
  "secret list": "secret ls",
  "secret remove": "secret rm",
  "config list": "config ls",
  "config remove": "config rm",
  "container attach": "attach",
  "container commit": "commit",
  "container cp": "cp",
  "container create": "create",
  "container diff": "diff",
  "container exec": "exec",
  "container export": "export",
  "container kill": "kill",
  "container logs": "logs",
  "container ls": "ps",
  "container list": "ps",
  "container ps": "ps",
  "container pause": "pause",
  "container port": "port",
  "container rename": "rename",
  "container restart": "restart",
  "container rm": "rm",
  "container run": "run",
  "container start": "start",
  "container stats": "stats",
  "container stop": "stop",
  "container top": "top",
  "container unpause": "unpause",
  "container update": "update",
  "container wait": "wait",
  "image build": "build",
  "image import": "import",
  "image load": "load",
  "image list": "images",
  "image ls": "images",
  "image pull": "pull",
  "image push": "push",
  "image rm": "rmi",
  "image remove": "rmi",
  "image save": "save",
  "image tag": "tag",
  "network list": "network ls",
  "network remove": "network rm",
  "volume list": "volume ls",
  "volume remove": "volume rm",
  "system events": "events",
  "system info": "info",
};

const file = (what: "createFile" | "listFiles" | "removeFiles", kind: "secret" | "config") => async () =>
  (await import("./commands/app/files.ts"))[what](kind);

const appCommands = group("Applications", [
  ["up", "Bring the app of this directory (or -f FILE) up, or up to date", () => import("./commands/app/up.ts")],
  ["down", "Stop an app and remove what it had; its volumes stay", () => import("./commands/app/down.ts")],
  ["plan", "Show what 'up' would do, and do nothing", () => import("./commands/app/plan.ts")],
  ["ls", "List apps", () => import("./commands/app/ls.ts")],
  ["why", "Say why a service is in the state that it is in", () => import("./commands/app/why.ts")],
  ["history", "Show the versions of an app", () => import("./commands/app/history.ts")],
  ["rollback", "Go back to an earlier version of an app", () => import("./commands/app/rollback.ts")],
  ["scale", "Change the number of a service's tasks", () => import("./commands/app/scale.ts")],
  ["config", "Check the app file and show it in full", () => import("./commands/app/config.ts")],
  ["watch", "Bring services up to date as their files change (develop.watch)", () => import("./commands/app/watch.ts")],
  ["params", "List an app's parameters and their values", () => import("./commands/app/params.ts")],
  ["answers", "Print an answers file with an app's parameters", () => import("./commands/app/answers.ts")],
  ["app ps", "List an app's tasks", () => import("./commands/app/ps.ts")],
  ["app logs", "Show what an app's tasks have written", () => import("./commands/app/logs.ts")],
  ["app start", "Start services that were stopped", () => import("./commands/app/start.ts")],
  ["app stop", "Stop services, and keep them", () => import("./commands/app/stop.ts")],
  ["app restart", "Restart services", () => import("./commands/app/restart.ts")],
  ["app pause", "Freeze services", () => import("./commands/app/pause.ts")],
  ["app unpause", "Thaw frozen services", () => import("./commands/app/unpause.ts")],
  ["app kill", "Send a signal to services' tasks", () => import("./commands/app/kill.ts")],
  ["app rm", "Remove the containers of stopped services", () => import("./commands/app/rm.ts")],
  ["app exec", "Run a command in a running task of a service", () => import("./commands/app/exec.ts")],
  ["app run", "Run a command in a new container of a service", () => import("./commands/app/run.ts")],
  ["app cp", "Copy files between a service's task and here", () => import("./commands/app/cp.ts")],
  ["app attach", "Connect the terminal to a running task", () => import("./commands/app/attach.ts")],
  ["app top", "Show the processes of an app's tasks", () => import("./commands/app/top.ts")],
  ["app stats", "Show the resources that an app's tasks use", () => import("./commands/app/stats.ts")],
  ["app events", "Show what happens to an app, as it happens", () => import("./commands/app/events.ts")],
  ["app port", "Show where a service's port is published", () => import("./commands/app/port.ts")],
  ["app images", "List the images that an app's tasks run", () => import("./commands/app/images.ts")],
  ["app volumes", "List an app's volumes", () => import("./commands/app/volumes.ts")],
  ["app wait", "Wait until services have ended, print their exit codes", () => import("./commands/app/wait.ts")],
  ["app pull", "Fetch an app's images", () => import("./commands/app/pull.ts")],
  ["app push", "Send the images that an app builds to their registries", () => import("./commands/app/push.ts")],
  ["app build", "Build an app's images", () => import("./commands/app/build.ts")],
  ["app create", "Make an app ready without starting it", () => import("./commands/app/create.ts")],
  ["secret create", "Keep a secret that apps name as external", file("createFile", "secret")],
  ["secret ls", "List secrets", file("listFiles", "secret")],
  ["secret rm", "Remove secrets", file("removeFiles", "secret")],
  ["config create", "Keep a config that apps name as external", file("createFile", "config")],
  ["config ls", "List configs", file("listFiles", "config")],
  ["config rm", "Remove configs", file("removeFiles", "config")],
]);

const containerCommands = group("Containers", [
  ["run", "Make and run a new container from an image", () => import("./commands/container/run.ts")],
  ["create", "Make a container without starting it", () => import("./commands/container/create.ts")],
  ["start", "Start stopped containers", () => import("./commands/container/start.ts")],
  ["stop", "Stop running containers", () => import("./commands/container/stop.ts")],
  ["restart", "Restart containers", () => import("./commands/container/restart.ts")],
  ["kill", "Send a signal to containers", () => import("./commands/container/kill.ts")],
  ["pause", "Freeze all processes of containers", () => import("./commands/container/pause.ts")],
  ["unpause", "Thaw frozen containers", () => import("./commands/container/unpause.ts")],
  ["rm", "Remove containers", () => import("./commands/container/rm.ts")],
  ["rename", "Give a container another name", () => import("./commands/container/rename.ts")],
  ["wait", "Wait until containers have ended, print their exit codes", () => import("./commands/container/wait.ts")],
  ["ps", "List containers", () => import("./commands/container/ps.ts")],
  ["logs", "Show what a container has written", () => import("./commands/container/logs.ts")],
  ["exec", "Run a command in a running container", () => import("./commands/container/exec.ts")],
  ["attach", "Connect the terminal to a running container", () => import("./commands/container/attach.ts")],
  ["cp", "Copy files between a container and here", () => import("./commands/container/cp.ts")],
  ["top", "Show the processes of a container", () => import("./commands/container/top.ts")],
  ["stats", "Show the resources that containers use", () => import("./commands/container/stats.ts")],
  ["update", "Change limits, restart policy or ports of containers", () => import("./commands/container/update.ts")],
  ["port", "Show published ports", () => import("./commands/container/port.ts")],
  ["diff", "Show what a container changed in its file system", () => import("./commands/container/diff.ts")],
  ["commit", "Make an image of a container's changes", () => import("./commands/container/commit.ts")],
  ["export", "Write a container's file system as a tar archive", () => import("./commands/container/export.ts")],
  ["container inspect", "Show all about containers", () => import("./commands/container/inspect.ts")],
  ["container prune", "Remove all stopped containers", () => import("./commands/container/prune.ts")],
]);

const imageCommands = group("Images", [
  ["build", "Build an image from a Dockerfile", () => import("./commands/image/build.ts")],
  ["builder ls", "List what the build cache holds", () => import("./commands/image/cache-ls.ts")],
  ["builder prune", "Remove the build cache", () => import("./commands/image/cache-prune.ts")],
  ["images", "List images", () => import("./commands/image/ls.ts")],
  ["pull", "Fetch an image from a registry", () => import("./commands/image/pull.ts")],
  ["push", "Send an image to a registry", () => import("./commands/image/push.ts")],
  ["tag", "Give an image a further name", () => import("./commands/image/tag.ts")],
  ["rmi", "Remove images", () => import("./commands/image/rm.ts")],
  ["image history", "Show the steps an image was made by", () => import("./commands/image/history.ts")],
  ["save", "Write images to a tar archive", () => import("./commands/image/save.ts")],
  ["load", "Read images from a tar archive", () => import("./commands/image/load.ts")],
  ["import", "Make an image from a tar of a file system", () => import("./commands/image/import.ts")],
  [
    "image bootstrap",
    "Make debian:SUITE or busybox from Debian's packages",
    () => import("./commands/image/bootstrap.ts"),
  ],
  [
    "image build-library",
    "Build the official images (redis, postgres …) from Debian's packages",
    () => import("./commands/image/build-library.ts"),
  ],
  ["image inspect", "Show all about images", () => import("./commands/image/inspect.ts")],
  ["image prune", "Remove images that nothing uses", () => import("./commands/image/prune.ts")],
  ["login", "Store credentials for a registry", () => import("./commands/image/login.ts")],
  ["logout", "Forget credentials for a registry", () => import("./commands/image/logout.ts")],
]);

const networkCommands = group("Networks and volumes", [
  ["network create", "Make a network", () => import("./commands/network/create.ts")],
  ["network ls", "List networks", () => import("./commands/network/ls.ts")],
  ["network inspect", "Show all about networks", () => import("./commands/network/inspect.ts")],
  ["network connect", "Put a container into a network", () => import("./commands/network/connect.ts")],
  ["network disconnect", "Take a container out of a network", () => import("./commands/network/disconnect.ts")],
  ["network rm", "Remove networks", () => import("./commands/network/rm.ts")],
  ["network prune", "Remove networks that nothing uses", () => import("./commands/network/prune.ts")],
  ["volume create", "Make a volume", () => import("./commands/volume/create.ts")],
  ["volume ls", "List volumes", () => import("./commands/volume/ls.ts")],
  ["volume inspect", "Show all about volumes", () => import("./commands/volume/inspect.ts")],
  ["volume rm", "Remove volumes", () => import("./commands/volume/rm.ts")],
  ["volume prune", "Remove volumes that nothing uses", () => import("./commands/volume/prune.ts")],
]);

const systemCommands = group("The host", [
  ["inspect", "Show all about containers, images, networks and volumes", () => import("./commands/system/inspect.ts")],
  ["info", "Show what this host and its engine are", () => import("./commands/system/info.ts")],
  ["version", "Show the versions of the program and of berthd", () => import("./commands/system/version.ts")],
  ["events", "Show what happens, as it happens", () => import("./commands/system/events.ts")],
  ["system backup", "Copy the state of all apps to a file", () => import("./commands/system/backup.ts")],
  ["system restore", "Put a copy in the place of the state", () => import("./commands/system/restore.ts")],
  ["system df", "Show what takes up disk space", () => import("./commands/system/df.ts")],
  ["system prune", "Remove all that nothing uses", () => import("./commands/system/prune.ts")],
  ["system check", "Look for leaks and damage, and repair them", () => import("./commands/system/check.ts")],
  ["completion", "Print a completion script for bash, zsh or fish", () => import("./commands/system/completion.ts")],
]);

export const commands: CommandEntry[] = [
  ...appCommands,
  ...containerCommands,
  ...imageCommands,
  ...networkCommands,
  ...systemCommands,
];

const byName = new Map(commands.map(entry => [entry.name, entry]));

export type Found =
  | { kind: "command"; entry: CommandEntry; rest: string[] }
  | { kind: "group"; name: string; asked: boolean };

/** The command that a command line starts with: two words before one. */
export function findCommand(argv: string[]): Found | undefined {
  const [first = "", second = ""] = argv[0] === "compose" ? ["app", ...argv.slice(1)] : argv;
  const two = `${first} ${second}`;
  const entry = byName.get(two) ?? byName.get(aliases[two] ?? "");
  if (entry) return { kind: "command", entry, rest: argv.slice(2) };
  const one = byName.get(first);
  if (one) return { kind: "command", entry: one, rest: argv.slice(1) };
  const isGroup = [...byName.keys(), ...Object.keys(aliases)].some(name => name.startsWith(`${first} `));
  if (!isGroup) return undefined;
  return { kind: "group", name: first, asked: ["", "--help", "-h"].includes(second) };
}
