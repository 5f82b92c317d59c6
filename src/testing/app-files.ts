import type { FileSource, LoadedApp, LoadInput } from "../appfile/input.ts";
import { loadApp } from "../appfile/load.ts";

/** Files that stand in an object: absolute path to text. */
export function filesIn(files: Record<string, string>): FileSource {
  return { read: path => (Object.hasOwn(files, path) ? files[path] : undefined) };
}

/** Loads /app/compose.yaml, or what `input` says, of the given files; relative names are in /app. Fails where parameters are missing. */
export function loadFiles(files: Record<string, string> | string, input: Partial<LoadInput> = {}): LoadedApp {
  const result = tryFiles(files, input);
  if (!result.app) throw new Error(`parameters are missing: ${result.missing.map(({ name }) => name).join(", ")}`);
  return result;
}

export function tryFiles(files: Record<string, string> | string, input: Partial<LoadInput> = {}) {
  const given = typeof files === "string" ? { "compose.yaml": files } : files;
  const absolute = Object.entries(given).map(([path, text]) => [
    path === "-" || path.startsWith("/") ? path : `/app/${path}`,
    text,
  ]);
  return loadApp({ files: filesIn(Object.fromEntries(absolute)), workingDirectory: "/app", environment: {}, ...input });
}
