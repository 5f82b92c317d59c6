import { BerthError } from "../../base/errors.ts";
import type { EnvFile } from "../../model/service.ts";
import { parseDotenv, parseRawEnv } from "../1-locate/dotenv.ts";
import { lookupIn } from "../3-interpolate/template.ts";
import type { ComposeDocument } from "../4-decode/document.ts";
import type { ComposeService } from "../4-decode/service.ts";
import type { Budget } from "../budget.ts";
import type { Path } from "../node.ts";
import type { Reader } from "../reader.ts";

/** A variable takes at least so much of a file: "A=1" and the line end. */
const shortestLine = 4;

export interface EnvFileContext {
  reader: Reader;
  budget: Budget;
  environment: Record<string, string>;
  problem: (path: Path, message: string, hint?: string) => void;
}

/** The files that a service named, by service. */
export type FileOrigins = Map<string, { envFiles: EnvFile[]; labelFiles: string[] }>;

/**
 * Puts env_file and label_file into environment and labels, which win over them, and takes the files out. A bare KEY that is still
 * without a value is dropped, and with it what a file said of it. The result says which files there were.
 */
export function resolveFiles(document: ComposeDocument, context: EnvFileContext): FileOrigins {
  const origins: FileOrigins = new Map();
  for (const [name, service] of Object.entries(document.services ?? {})) {
    const envFiles = (service.env_file ?? []).map(({ path, required = true, format }) => ({ path, required, format }));
    origins.set(name, { envFiles, labelFiles: service.label_file ?? [] });
    resolveEnvironment(name, service, context);
    const labels: Record<string, string> = {};
    for (const [index, path] of (service.label_file ?? []).entries()) {
      Object.assign(labels, readFile(path, undefined, true, {}, ["services", name, "label_file", index], context));
    }
    if (service.label_file) service.labels = { ...labels, ...service.labels };
    delete service.label_file;
    dropUnset(service.build?.args);
    for (const hook of [...(service.pre_start ?? []), ...(service.post_start ?? []), ...(service.pre_stop ?? [])]) {
      dropUnset(hook.environment);
    }
    for (const rule of service.develop?.watch ?? []) dropUnset(rule.exec?.environment);
  }
  return origins;
}

function resolveEnvironment(name: string, service: ComposeService, context: EnvFileContext): void {
  const own = service.environment;
  const fromFiles: Record<string, string> = {};
  for (const [index, { path, required = true, format }] of (service.env_file ?? []).entries()) {
    const seen = { ...fromFiles, ...own };
    Object.assign(fromFiles, readFile(path, format, required, seen, ["services", name, "env_file", index], context));
  }
  if (service.env_file || own) service.environment = { ...fromFiles, ...own };
  dropUnset(service.environment);
  delete service.env_file;
}

function dropUnset(pairs: Record<string, string | null> | undefined): void {
  for (const [key, value] of Object.entries(pairs ?? {})) if (value === null) delete pairs![key];
}

function readFile(
  path: string,
  format: "raw" | undefined,
  required: boolean,
  seen: Record<string, string | null>,
  at: Path,
  { reader, budget, environment, problem }: EnvFileContext,
): Record<string, string> {
  const [outer, own] = [lookupIn(environment), lookupIn(seen)];
  const lookup = (key: string) => outer(key) ?? own(key);
  const source = reader.read(path);
  if (!source) {
    if (required) problem(at, `there is no file ${path}`, "write it, or say required: false");
    return {};
  }
  budget.spend(source.text.length / shortestLine, 0, { source, offset: 0 });
  try {
    return format === "raw" ? parseRawEnv(source.text, lookup) : parseDotenv(source, lookup);
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    problem(at, error.message, error.hint);
    return {};
  }
}
