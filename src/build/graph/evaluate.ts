import type { Arg, From, Instruction, KeyValues, Run, Value, Values } from "../dockerfile/instruction.ts";
import {
  absolutePath,
  commandArgs,
  defaultPath,
  envList,
  exposedPorts,
  healthCheckConfig,
  isSignal,
} from "./config.ts";
import { evaluateCopy, evaluateMount } from "./evaluate-files.ts";
import { proxyArgs } from "./scope.ts";
import { runEnvironment, type StageState, shellOf } from "./stage-state.ts";
import type { RunStep } from "./steps.ts";

type StageInstruction = Exclude<Instruction, From>;

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}

/** Puts one instruction's effect on configuration and variables into `state`, and adds its step. */
export function evaluate(state: StageState, instruction: StageInstruction): void {
  switch (instruction.kind) {
    case "RUN":
      state.steps.push(evaluateRun(state, instruction));
      return;
    case "COPY":
    case "ADD":
      state.steps.push(evaluateCopy(state, instruction, firstLine(instruction.text)));
      return;
    case "WORKDIR":
      evaluateWorkdir(state, instruction);
      return;
    case "ARG":
      evaluateArg(state, instruction);
      break;
    case "ENV":
    case "LABEL":
      evaluatePairs(state, instruction);
      break;
    case "EXPOSE":
    case "VOLUME":
      evaluateValues(state, instruction);
      break;
    case "USER":
    case "STOPSIGNAL":
    case "MAINTAINER":
      evaluateValue(state, instruction);
      break;
    case "CMD":
      state.config.Cmd = commandArgs(instruction.command, shellOf(state));
      state.hasCommand = true;
      break;
    case "ENTRYPOINT":
      state.config.Entrypoint = commandArgs(instruction.command, shellOf(state));
      if (!state.hasCommand) delete state.config.Cmd;
      break;
    case "SHELL":
      state.config.Shell = instruction.args;
      break;
    case "HEALTHCHECK":
      state.config.Healthcheck = healthCheckConfig(instruction);
      break;
    case "ONBUILD":
      state.config.OnBuild = [...(state.config.OnBuild ?? []), instruction.trigger];
      break;
  }
  state.steps.push({
    kind: "config",
    at: instruction.at,
    text: firstLine(instruction.text),
    createdBy: createdBy(state, instruction),
  });
}

/** History names values as they are, not as they were typed. */
function createdBy(state: StageState, instruction: StageInstruction): string {
  if (instruction.kind === "CMD") return `CMD ${JSON.stringify(state.config.Cmd ?? [])}`;
  if (instruction.kind === "ENTRYPOINT") return `ENTRYPOINT ${JSON.stringify(state.config.Entrypoint ?? [])}`;
  return firstLine(instruction.text);
}

/** A build argument beats the default, which beats the value from before the first FROM; platform arguments come from there too. */
function evaluateArg(state: StageState, instruction: Arg) {
  for (const { name, value } of instruction.args) {
    state.declared.add(name);
    const given = state.plan.args[name] ?? (value ? state.scope.text(value) : state.globals.get(name));
    if (given !== undefined) state.args.set(name, given);
  }
}

function evaluatePairs(state: StageState, instruction: KeyValues) {
  // All values of one line see the variables as they were before it.
  const pairs = instruction.pairs.map(({ name, value }) => ({
    raw: name,
    name: state.scope.text(name),
    value: state.scope.text(value),
  }));
  for (const { raw, name, value } of pairs) {
    if (name === "") throw state.scope.fail(raw, `${instruction.kind}: a name is empty`);
    if (instruction.kind === "LABEL") {
      state.config.Labels = { ...state.config.Labels, [name]: value };
      continue;
    }
    state.env.set(name, value);
    state.config.Env = envList(state.env);
  }
}

function evaluateValues(state: StageState, instruction: Values) {
  for (const value of instruction.values) {
    if (instruction.kind === "VOLUME") {
      const path = state.scope.text(value);
      if (path.trim() === "") throw state.scope.fail(value, "VOLUME: a value is empty");
      state.config.Volumes = { ...state.config.Volumes, [path]: {} };
      continue;
    }
    for (const word of state.scope.words(value)) {
      const ports = exposedPorts(word);
      if (!ports)
        throw state.scope.fail(
          value,
          `EXPOSE: '${word}' is no port`,
          "write a port from 1 to 65535, e.g. 80, 53/udp or 8000-8010",
        );
      state.config.ExposedPorts = {
        ...state.config.ExposedPorts,
        ...Object.fromEntries(ports.map(port => [port, {}])),
      };
    }
  }
}

function evaluateValue(state: StageState, instruction: Value) {
  const text = state.scope.text(instruction.value).trim();
  if (instruction.kind === "MAINTAINER") {
    state.author = text;
    return;
  }
  if (text === "")
    throw state.scope.fail(instruction.value, `${instruction.kind} is empty after its variables are put in`);
  if (instruction.kind === "USER") {
    if (/\s/.test(text))
      throw state.scope.fail(
        instruction.value,
        `USER takes one value, not '${text}'`,
        "write USER name, uid, name:group or uid:gid",
      );
    state.config.User = text;
    return;
  }
  if (!isSignal(text)) throw state.scope.fail(instruction.value, `'${text}' is no signal`, "e.g. SIGTERM, QUIT or 9");
  state.config.StopSignal = text;
}

function evaluateWorkdir(state: StageState, instruction: Value) {
  const text = state.scope.text(instruction.value);
  if (text === "") throw state.scope.fail(instruction.value, "WORKDIR is empty after its variables are put in");
  const path = absolutePath(text, state.config.WorkingDir || "/");
  state.config.WorkingDir = path;
  state.steps.push({
    kind: "workdir",
    at: instruction.at,
    text: firstLine(instruction.text),
    createdBy: `WORKDIR ${path}`,
    path,
  });
}

function evaluateRun(state: StageState, instruction: Run): RunStep {
  const env = runEnvironment(state);
  if (!env.has("PATH")) env.set("PATH", defaultPath);
  const script = instruction.script && {
    target: `/dev/pipes/${instruction.script.name.replaceAll("/", "_")}`,
    text: instruction.script.text,
  };
  const args = script ? [script.target] : commandArgs(instruction.command, shellOf(state));
  const declared = Array.from(state.args, ([name, value]) => `${name}=${value}`);
  const prefix = declared.length > 0 ? `|${declared.length} ${declared.join(" ")} ` : "";
  return {
    kind: "run",
    at: instruction.at,
    text: firstLine(instruction.text),
    createdBy: `RUN ${prefix}${(script ? [script.text] : args).join(" ")}`,
    args,
    env: envList(env),
    proxyEnv: proxyArgs.flatMap(name =>
      state.plan.args[name] !== undefined && !env.has(name) ? [`${name}=${state.plan.args[name]}`] : [],
    ),
    workingDir: state.config.WorkingDir || "/",
    user: state.config.User ?? "",
    mounts: instruction.mounts.map(mount => evaluateMount(state, mount)),
    network: instruction.network === "default" ? state.plan.network : instruction.network,
    script,
  };
}
