import type { App, AppParam, ParamSpec } from "../model/app.ts";
import type { ComposeDocument } from "./4-decode/document.ts";
import type { Problem } from "./problems.ts";

/** Where files come from: the disk, an archive, an editor's buffers, a test's object. Paths are absolute, or "-". */
export interface FileSource {
  /** The text, or undefined where there is no such file. Throws BerthError when it is there and cannot be read. */
  read(path: string): string | undefined;
}

export interface LoadInput {
  files: FileSource;
  /** Where the user stands: relative paths of `paths` start here, and the search for a file. Absolute. */
  workingDirectory: string;
  /** What -f gave, in order; "-" is the standard input. Empty: COMPOSE_FILE, else the search. */
  paths?: string[];
  /** --project-directory */
  projectDirectory?: string;
  /** -p */
  projectName?: string;
  /** The environment of the process. */
  environment: Record<string, string>;
  /** --env-file, in order. Empty: `.env` beside the app file. */
  envFiles?: string[];
  /** --profile; "*" is all. Those of COMPOSE_PROFILES count where none is given. */
  profiles?: string[];
  /** Services named on the command line: their profiles become active. */
  services?: string[];
  /** For "~". */
  homeDirectory?: string;
  /** --set name=value: parameters of the app, "nested.name" for those of nested apps. */
  set?: Record<string, string>;
  /** The answers file, as `parseAnswers` gives it. */
  answers?: Record<string, string>;
}

/** An app that is fit to run. */
export interface LoadedApp {
  app: App;
  /** The canonical Compose document: plain JSON, short forms written long, paths absolute, enabled services only. For print.ts. */
  document: ComposeDocument;
  warnings: Problem[];
  missing: [];
}

/** Parameters without a value: ask for them, and load again. */
export interface IncompleteApp {
  app?: undefined;
  /** The app's name, where it got that far: commands on what runs need no more. */
  name?: string;
  missing: ParamSpec[];
  /** Those that have one. */
  params: AppParam[];
  warnings: Problem[];
}

export type LoadResult = LoadedApp | IncompleteApp;
