import { BerthError } from "../../base/errors.ts";
import type { App, AppSecret } from "../../model/app.ts";
import type { FileNeed } from "../../plan/make-plan.ts";
import type { FileKind, StoredFiles } from "../files/stored-files.ts";

/** Contents of an app's secrets and configs, and the ids that they have in the store. */
export interface AppFiles {
  secrets: Record<string, string>;
  configs: Record<string, string>;
  /** To be kept before the version that names them. */
  contents: { kind: FileKind; name: string; labels: Record<string, string>; content: Buffer }[];
}

/** Reads what the services are granted, from what the caller sent with the app. */
export async function readFiles(
  app: App,
  services: string[],
  given: Record<string, string>,
  files: StoredFiles,
): Promise<AppFiles> {
  const found: AppFiles = { secrets: {}, configs: {}, contents: [] };
  for (const kind of ["secret", "config"] as const) {
    const plural = `${kind}s` as const;
    const used = new Set(
      services.flatMap(name => app.services[name]!.secrets && app.services[name]![plural]).map(({ source }) => source),
    );
    for (const key of [...used].sort()) {
      const file = app[plural][key];
      if (!file) throw new BerthError("invalid", `${kind} ${key} is granted, and the app declares none of that name`);
      if (file.origin.from === "external") {
        found[plural][key] = await externalId(files, kind, file);
        continue;
      }
      const content = contentOf(kind, key, file, given);
      found[plural][key] = await files.idOf(app.name, kind, key, content);
      found.contents.push({ kind, name: key, labels: file.labels, content });
    }
  }
  return found;
}

function contentOf(kind: FileKind, key: string, file: AppSecret, given: Record<string, string>): Buffer {
  const sent = given[`${kind}s.${key}`];
  if (sent !== undefined) return Buffer.from(sent, "base64");
  if (file.origin.from === "content") return Buffer.from(file.origin.content);
  if (file.origin.from === "driver") {
    throw new BerthError("unsupported", `${kind} ${key}: driver "${file.origin.driver}"`, {
      hint: "give it as a file, or make it with 'berth secret create'",
    });
  }
  const origin =
    file.origin.from === "file"
      ? `file ${file.origin.path}`
      : file.origin.from === "environment"
        ? `variable ${file.origin.variable}`
        : "its origin";
  throw new BerthError("invalid", `${kind} ${key}: the content of ${origin} was not sent with the app`);
}

async function externalId(files: StoredFiles, kind: FileKind, file: AppSecret): Promise<string> {
  const known = (await files.standalone(kind)).find(({ name }) => name === file.name);
  if (known) return known.id;
  throw new BerthError("not_found", `${kind} ${file.name} is external to the app, and does not exist`, {
    hint: `make it with 'berth ${kind} create ${file.name} FILE'`,
  });
}

/** What the plan says of them: names only. */
export function fileNeeds(app: App, files: AppFiles, before: AppFiles | undefined): FileNeed[] {
  return (["secret", "config"] as const).flatMap(kind => {
    const plural = `${kind}s` as const;
    return Object.entries(files[plural]).map(([key, id]): FileNeed => {
      const old = before?.[plural][key];
      return {
        kind,
        name: app[plural][key]!.name,
        action: old === id ? "keep" : "create",
        cause: old === id ? "unchanged" : old === undefined ? "a service is granted it" : "its content changed",
        services: Object.values(app.services)
          .filter(service => service[plural].some(({ source }) => source === key))
          .map(({ name }) => name),
      };
    });
  });
}

/** The app as it is kept: no content of a file in it. */
export function withoutContents(app: App): App {
  const strip = (files: Record<string, AppSecret>) =>
    Object.fromEntries(
      Object.entries(files).map(([key, file]) => [
        key,
        file.origin.from === "content" ? { ...file, origin: { from: "content" as const, content: "" } } : file,
      ]),
    );
  return { ...app, secrets: strip(app.secrets), configs: strip(app.configs) };
}
