import type { Readable, Writable } from "node:stream";
import type { RemoteBuilder } from "../api/builder/remote-builder.ts";
import type { FileSource } from "../appfile/input.ts";
import type { Clock } from "../base/clock.ts";
import type { Environment } from "../base/env.ts";
import type { AppsBackend, StandaloneFilesBackend } from "../ports/apps.ts";
import type { CallOptions } from "../ports/content.ts";
import type { Engine } from "../ports/engine.ts";
import type { AppFlags } from "./app/flags.ts";

/** The engine as commands use it: in this process (berth-engine) or behind berthd (berth). */
export type CliEngine = Omit<Engine, "supervise">;

/** Backends beside the engine. */
export interface Backends {
  builder: RemoteBuilder;
  apps: AppsBackend;
  files: StandaloneFilesBackend;
  /** Of berthd itself. */
  host: { backup(path: string, options?: CallOptions): Promise<void> };
}

export interface Terminal {
  stdin: Readable & { isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  stdout: Writable & { isTTY?: boolean; columns?: number; rows?: number };
  stderr: Writable & { isTTY?: boolean; columns?: number };
}

/** Everything a command needs from outside; entry points make it, tests make another. */
export interface CliContext extends Terminal {
  /** Name the program was called by, for help and hints. */
  program: string;
  version: string;
  /** Connects on first use, so that `--help` and `version` need no berthd. */
  engine(): Promise<CliEngine>;
  environment: Environment;
  /** Files of this host, for app files. */
  files: FileSource;
  /** What was said before the command about which app is meant. */
  app: AppFlags;
  cwd: string;
  /** Where the Dockerfiles of the "official images" are, if the program was installed with them. */
  libraryDirectory?: string;
  clock: Clock;
  /** Aborted by the first Ctrl-C (where the command does not take it for itself). */
  signal: AbortSignal;
  /** Calls back on a signal to this process until the returned function is called. */
  onSignal(name: NodeJS.Signals, callback: () => void): () => void;
  /** Puts a backup in the place of the store, berthd stopped meanwhile; absent where the program has no store. */
  restoreStore?(backup: string): Promise<{ kept: string | undefined }>;
  /** What there is beside the engine; throws `unsupported` where the program has it not. */
  backend<K extends keyof Backends>(name: K): Promise<Backends[K]>;
}

export function print(context: Pick<CliContext, "stdout">, text: string): void {
  context.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

export function warn(context: Pick<CliContext, "stderr">, text: string): void {
  context.stderr.write(`WARNING: ${text}\n`);
}
