import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Environment } from "../../base/env.ts";
import { BerthError } from "../../base/errors.ts";
import type {
  BuildContext,
  BuildInput,
  BuildNetwork,
  BuildOutput,
  CacheLocation,
  NamedContext,
  SecretSource,
} from "../../ports/build.ts";
import type { CliContext } from "../context.ts";
import { parseSize } from "../output/units.ts";
import { parseLabels } from "./environment.ts";
import { parsePlatform } from "./platform.ts";
import { parseUlimit } from "./ulimit.ts";

export interface BuildFlags {
  file?: string;
  tag: string[];
  target?: string;
  buildArg: string[];
  buildContext: string[];
  secret: string[];
  ssh: string[];
  label: string[];
  annotation: string[];
  output: string[];
  push?: boolean;
  cache: boolean;
  cacheFilter?: string[];
  cacheFrom: string[];
  cacheTo: string[];
  pull?: boolean;
  platform?: string;
  network?: string;
  addHost: string[];
  shmSize?: string;
  ulimit: string[];
  memory?: string;
  isolated?: boolean;
  iidfile?: string;
  metadataFile?: string;
  quiet?: boolean;
  print?: boolean;
  progress: "auto" | "plain" | "tty";
}

type Surroundings = Pick<CliContext, "cwd" | "environment">;

/** The build that the flags ask for; throws `invalid` naming the flag. */
export function toBuildInput(path: string, flags: BuildFlags, context: Surroundings): BuildInput {
  const { cwd, environment } = context;
  return {
    context: parseContext(path, cwd),
    contexts: Object.fromEntries(flags.buildContext.map(pair => parseNamedContext(pair, cwd))),
    dockerfile:
      flags.file === undefined || flags.file === "-" ? undefined : { path: dockerfilePath(flags.file, path, cwd) },
    target: flags.target,
    args: parseArgs(flags.buildArg, environment),
    secrets: Object.fromEntries(flags.secret.map(spec => parseSecret(spec, context))),
    ssh: Object.fromEntries(flags.ssh.map(spec => parseSsh(spec, environment))),
    tags: flags.tag,
    labels: parseLabels(flags.label),
    annotations: parseLabels(flags.annotation),
    outputs: parseOutputs(flags, cwd),
    noCache: !flags.cache,
    noCacheStages: flags.cacheFilter,
    cacheFrom: flags.cacheFrom.map(text => parseCache(text, cwd, "--cache-from")) as CacheLocation[],
    cacheTo: flags.cacheTo.map(text => parseCache(text, cwd, "--cache-to")),
    pull: flags.pull,
    isolated: flags.isolated,
    platform: parsePlatform(flags.platform),
    network: parseNetwork(flags.network),
    extraHosts: flags.addHost,
    shmSize_bytes: flags.shmSize === undefined ? undefined : parseSize(flags.shmSize, "--shm-size"),
    ulimits: flags.ulimit.map(parseUlimit),
    resources: flags.memory === undefined ? undefined : { memory_bytes: parseSize(flags.memory, "--memory") },
  };
}

const isUrl = (text: string) => /^(https?|git|ssh):\/\/|^git@|^github\.com\//.test(text);

function parseContext(path: string, cwd: string): BuildContext {
  if (path === "-") return { kind: "empty" };
  return isUrl(path) ? { kind: "url", url: path } : { kind: "directory", path: resolve(cwd, path) };
}

/** docker looks from where the command runs, and only with a context of its own inside that. */
function dockerfilePath(file: string, context: string, cwd: string): string {
  return isUrl(context) || context === "-" ? file : resolve(cwd, file);
}

function parseNamedContext(pair: string, cwd: string): [string, NamedContext] {
  const at = pair.indexOf("=");
  if (at < 1) throw new BerthError("invalid", `--build-context "${pair}" is not NAME=SOURCE`);
  const [name, source] = [pair.slice(0, at), pair.slice(at + 1)];
  const image = /^docker-image:\/\/(.+)$/.exec(source)?.[1];
  return [name, image === undefined ? parseContext(source, cwd) : { kind: "image", reference: image }];
}

/** NAME alone passes on the caller's own variable, as docker does; an unset one is left out. */
function parseArgs(pairs: string[], environment: Environment): Record<string, string> {
  const args: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const value = at < 0 ? environment[pair] : pair.slice(at + 1);
    if (value !== undefined) args[at < 0 ? pair : pair.slice(0, at)] = value;
  }
  return args;
}

function fields(spec: string): Record<string, string> {
  return parseLabels(spec.split(","));
}

function parseSecret(spec: string, { cwd, environment }: Surroundings): [string, SecretSource] {
  const { id, src, source = src, env, type } = fields(spec);
  if (!id)
    throw new BerthError("invalid", `--secret "${spec}" has no id`, {
      hint: "for example --secret id=token,src=token.txt",
    });
  const variable =
    env ?? (type === "env" ? id : source === undefined && environment[id] !== undefined ? id : undefined);
  if (variable !== undefined) {
    const value = environment[variable];
    if (value === undefined) throw new BerthError("invalid", `--secret ${id}: the environment has no ${variable}`);
    return [id, { data: Buffer.from(value) }];
  }
  const path = resolve(cwd, source ?? id);
  try {
    return [id, { data: readFileSync(path) }];
  } catch (cause) {
    throw new BerthError("invalid", `--secret ${id}: ${(cause as Error).message}`, {
      cause,
      hint: "name the file with src=, or a variable with env=",
    });
  }
}

function parseSsh(spec: string, environment: Environment): [string, string] {
  const [id = "default", socket = environment["SSH_AUTH_SOCK"]] = spec.split("=");
  if (!socket)
    throw new BerthError("invalid", `--ssh ${id}: no agent is running (SSH_AUTH_SOCK is not set)`, {
      hint: "start ssh-agent, or name a socket: --ssh ID=SOCKET",
    });
  return [id, socket];
}

function parseOutputs(flags: BuildFlags, cwd: string): BuildOutput[] {
  const outputs = flags.output.map(spec => parseOutput(spec, cwd));
  if (outputs.length === 0 || flags.push)
    return [...outputs.filter(output => output.type !== "image"), { type: "image", push: flags.push }];
  return outputs;
}

function parseOutput(spec: string, cwd: string): BuildOutput {
  if (!spec.includes("=")) return { type: "local", path: resolve(cwd, spec) };
  const { type, dest, push } = fields(spec);
  if (type === "image" || type === "registry") return { type: "image", push: type === "registry" || push === "true" };
  if (type === "docker" && dest === undefined) return { type: "image" };
  if (type !== "docker" && type !== "oci" && type !== "tar" && type !== "local") {
    throw new BerthError("invalid", `--output "${spec}": type is none of image, registry, docker, oci, tar, local`);
  }
  if (!dest) throw new BerthError("invalid", `--output "${spec}" needs dest=PATH`);
  return type === "local" ? { type, path: resolve(cwd, dest) } : { type, target: { path: resolve(cwd, dest) } };
}

function parseCache(text: string, cwd: string, flag: string): CacheLocation | { type: "inline" } {
  if (!text.includes("=")) return { type: "registry", reference: text };
  const { type, ref, src, dest = src } = fields(text);
  if (type === "registry" && ref) return { type, reference: ref };
  if (type === "local" && dest) return { type, path: resolve(cwd, dest) };
  if (type === "inline" && flag === "--cache-to") return { type };
  throw new BerthError("invalid", `${flag} "${text}" is not a place for a cache`, {
    hint: "type=registry,ref=NAME, type=local,src=DIR (dest= to write)",
  });
}

function parseNetwork(text: string | undefined): BuildNetwork | undefined {
  if (text === undefined || text === "default" || text === "host" || text === "none") return text;
  throw new BerthError("invalid", `--network ${text}: builds know default, host and none`);
}
