import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Command } from "commander";
import { BerthError } from "../../../base/errors.ts";
import { type CliContext, print } from "../../context.ts";
import { storeCredentials } from "../../docker-config.ts";

interface Flags {
  username?: string;
  password?: string;
  passwordStdin?: boolean;
}

export function define(command: Command, context: CliContext): void {
  command
    .argument("[registry]", "registry to log in to", "docker.io")
    .option("-u, --username <name>", "user name")
    .option("-p, --password <password>", "password (others can see it in the process list: better --password-stdin)")
    .option("--password-stdin", "read the password from stdin")
    .action((registry: string, flags: Flags) => login(context, registry, flags));
}

async function login(context: CliContext, registry: string, flags: Flags): Promise<void> {
  const username = flags.username ?? (await ask(context, "Username: "));
  const password =
    flags.password ?? (flags.passwordStdin ? await readStdin(context) : await ask(context, "Password: ", true));
  const answer = await (await context.engine()).images.login(
    registry,
    { username, password },
    { signal: context.signal },
  );
  await storeCredentials(context.environment, registry, { username, password });
  print(context, answer || "Login Succeeded");
}

async function readStdin(context: CliContext): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of context.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}

async function ask(context: CliContext, question: string, hidden = false): Promise<string> {
  if (!context.stdin.isTTY) {
    throw new BerthError(
      "invalid",
      `login needs a ${question.replace(": ", "").toLowerCase()}, and nobody can be asked`,
      { hint: "use -u NAME --password-stdin" },
    );
  }
  context.stderr.write(question);
  const echo = new Writable({ write: (chunk, _, done) => void (hidden || context.stderr.write(chunk), done()) });
  const reader = createInterface({ input: context.stdin, output: echo, terminal: true });
  try {
    return await reader.question("", { signal: context.signal });
  } finally {
    reader.close();
    if (hidden) context.stderr.write("\n");
  }
}
