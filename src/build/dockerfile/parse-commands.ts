import { parseDuration_ns } from "./duration.ts";
import { heredocText, heredocWord } from "./heredoc.ts";
import type { Command, CommandInstruction, HealthCheckInstruction, Run, Shell } from "./instruction.ts";
import { parseMount } from "./mounts.ts";
import { jsonList } from "./split.ts";
import { failAt, readFlags, type Statement, statementText } from "./statement.ts";

function common(statement: Statement) {
  return { at: statement.at, endLine: statement.line.endLine, text: statementText(statement) };
}

/** Shell or exec form of what follows the flags. */
function command(statement: Statement, text = statement.rest, offset = statement.restOffset): Command {
  const list = jsonList(text);
  if (list === "not-strings")
    throw failAt(
      statement,
      offset,
      `${statement.name}: the exec form may hold only strings`,
      'e.g. ["nginx", "-g", "daemon off;"]',
    );
  return list === "not-json" ? { form: "shell", line: text } : { form: "exec", args: list };
}

/** How RUN uses heredocs: alone, the body is the script; within a command line, the shell reads the bodies itself. */
function runCommand(statement: Statement): Pick<Run, "command" | "script"> {
  const first = statement.heredocs[0];
  if (!first) return { command: command(statement) };
  if (!heredocWord(statement.rest.trim(), statement.escape)) {
    const bodies = statement.heredocs.map(heredoc => `${heredoc.body}${heredoc.name}`);
    return { command: { form: "shell", line: [statement.rest, ...bodies].join("\n") } };
  }
  const text = heredocText(first);
  if (!text.startsWith("#!")) return { command: { form: "shell", line: text } };
  return { command: { form: "exec", args: [] }, script: { name: first.name, text, expand: false } };
}

export function parseRun(statement: Statement): Run {
  const flags = readFlags(statement, {
    lists: ["mount"],
    values: ["network"],
    refused: {
      security:
        "a build step has the default set of capabilities and the default seccomp profile; run what needs more with 'berth run --privileged'",
      device: "build steps see no devices of the host",
    },
  });
  const network = flags.value("network");
  if (network && !["default", "none", "host"].includes(network.text)) {
    throw failAt(statement, network.offset, `--network is '${network.text}'`, "it is default, none or host");
  }
  const mounts = flags.list("mount").map(word => parseMount(statement, word));
  if (statement.rest === "" || statement.rest === "[]")
    throw failAt(statement, statement.restOffset, "RUN has no command");
  return {
    ...common(statement),
    kind: "RUN",
    ...runCommand(statement),
    mounts,
    network: (network?.text ?? "default") as Run["network"],
  };
}

export function parseCommand(statement: Statement, kind: "CMD" | "ENTRYPOINT"): CommandInstruction {
  readFlags(statement, {});
  if (statement.rest === "" && kind === "CMD")
    throw failAt(statement, statement.restOffset, `${kind} has no command`, `write ${kind} ["program", "argument"]`);
  const parsed: Command = statement.rest === "" ? { form: "exec", args: [] } : command(statement);
  return { ...common(statement), kind, command: parsed };
}

export function parseShell(statement: Statement): Shell {
  readFlags(statement, {});
  const list = jsonList(statement.rest);
  if (!Array.isArray(list) || list.length === 0) {
    throw failAt(
      statement,
      statement.restOffset,
      "SHELL takes the exec form only",
      'e.g. SHELL ["/bin/bash", "-o", "pipefail", "-c"]',
    );
  }
  return { ...common(statement), kind: "SHELL", args: list };
}

export function parseHealthCheck(statement: Statement): HealthCheckInstruction {
  const flags = readFlags(statement, { values: ["interval", "timeout", "start-period", "start-interval", "retries"] });
  const match = /^(\S+)\s*([\s\S]*)$/.exec(statement.rest);
  const type = match?.[1]?.toUpperCase();
  if (type === "NONE") {
    if (match![2] || statement.flags.length > 0)
      throw failAt(statement, statement.restOffset, "HEALTHCHECK NONE takes nothing else");
    return { ...common(statement), kind: "HEALTHCHECK" };
  }
  if (type !== "CMD") {
    throw failAt(
      statement,
      statement.restOffset,
      type ? `HEALTHCHECK type '${match![1]}' is unknown` : "HEALTHCHECK has no command",
      "write HEALTHCHECK CMD command, or HEALTHCHECK NONE",
    );
  }
  if (!match![2]) throw failAt(statement, statement.restOffset, "HEALTHCHECK CMD has no command");
  const duration = (name: string): number | undefined => {
    const word = flags.value(name);
    if (!word) return undefined;
    const parsed = parseDuration_ns(word.text);
    if (parsed === undefined || (parsed !== 0 && parsed < 1e6)) {
      throw failAt(
        statement,
        word.offset,
        `--${name} is '${word.text}'`,
        "it is a duration of at least 1ms, e.g. 30s or 1m30s",
      );
    }
    return parsed;
  };
  const retries = flags.value("retries");
  if (retries && !/^\d{1,9}$/.test(retries.text))
    throw failAt(statement, retries.offset, `--retries is '${retries.text}'`, "it is a whole number");
  const text = match![2]!;
  return {
    ...common(statement),
    kind: "HEALTHCHECK",
    command: command(statement, text, statement.restOffset + statement.rest.length - text.length),
    interval_ns: duration("interval"),
    timeout_ns: duration("timeout"),
    startPeriod_ns: duration("start-period"),
    startInterval_ns: duration("start-interval"),
    retries: retries && Number(retries.text),
  };
}
