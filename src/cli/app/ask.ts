import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { ParamSpec } from "../../model/app.ts";
import type { CliContext } from "../context.ts";

/** Asks for each on the terminal; secrets are typed unseen. What is wrong with an answer, the loader says, and asks again. */
export async function askForParams(context: CliContext, missing: ParamSpec[]): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  for (const param of missing) {
    const kind = param.type === "enum" ? (param.values ?? []).join(" | ") : param.type;
    context.stderr.write(`${param.description ? `${param.description}\n` : ""}${param.name} (${kind}): `);
    answers[param.name] = await ask(context, param.type === "secret");
  }
  return answers;
}

export async function ask(context: CliContext, hidden: boolean): Promise<string> {
  const echo = new Writable({
    write: (chunk, _encoding, done) => {
      if (!hidden) context.stderr.write(chunk);
      done();
    },
  });
  const reader = createInterface({ input: context.stdin, output: echo, terminal: true });
  try {
    return await reader.question("", { signal: context.signal });
  } finally {
    reader.close();
    if (hidden) context.stderr.write("\n");
  }
}
