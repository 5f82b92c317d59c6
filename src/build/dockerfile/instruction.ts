import type { Position } from "./source.ts";

/** Shell form runs through the stage's SHELL, exec form as it is. */
export type Command = { form: "shell"; line: string } | { form: "exec"; args: string[] };

/** A file given in the Dockerfile itself. */
export interface InlineFile {
  name: string;
  text: string;
  expand: boolean;
}

/** Text that variables are still to be put into, and where it stands, so that a bad substitution points at itself. */
export interface Raw {
  text: string;
  at: Position;
}

interface Common {
  at: Position;
  endLine: number;
  /** The instruction on one line, for history, progress and cache keys; bodies of heredocs follow after newlines. */
  text: string;
}

export interface From extends Common {
  kind: "FROM";
  image: Raw;
  platform?: Raw;
  /** Lower case. */
  as?: string;
}

export interface Arg extends Common {
  kind: "ARG";
  args: { name: string; value?: Raw }[];
}

export interface KeyValues extends Common {
  kind: "ENV" | "LABEL";
  pairs: { name: Raw; value: Raw }[];
}

export type MountKind = "bind" | "cache" | "tmpfs" | "secret" | "ssh";

/** Fields as typed; which of them a kind knows is checked while parsing. */
export interface RunMount {
  kind: MountKind;
  at: Position;
  fields: Record<string, string>;
}

export interface Run extends Common {
  kind: "RUN";
  command: Command;
  mounts: RunMount[];
  network: "default" | "host" | "none";
  /** Shell form made of nothing but a heredoc whose body starts with #!: the body is run as a program of this name. */
  script?: InlineFile;
}

export interface Copy extends Common {
  kind: "COPY" | "ADD";
  sources: Raw[];
  files: InlineFile[];
  destination: Raw;
  from?: string;
  chown?: Raw;
  chmod?: Raw;
  checksum?: Raw;
  exclude: Raw[];
  link: boolean;
  parents: boolean;
  keepGit: boolean;
  /** ADD --unpack; absent: local archives yes, downloads no. */
  unpack?: boolean;
}

export interface CommandInstruction extends Common {
  kind: "CMD" | "ENTRYPOINT";
  command: Command;
}

export interface Shell extends Common {
  kind: "SHELL";
  args: string[];
}

export interface Value extends Common {
  kind: "WORKDIR" | "USER" | "STOPSIGNAL" | "MAINTAINER";
  value: Raw;
}

export interface Values extends Common {
  kind: "EXPOSE" | "VOLUME";
  values: Raw[];
}

export interface HealthCheckInstruction extends Common {
  kind: "HEALTHCHECK";
  /** Absent: NONE. */
  command?: Command;
  interval_ns?: number;
  timeout_ns?: number;
  startPeriod_ns?: number;
  startInterval_ns?: number;
  retries?: number;
}

export interface OnBuild extends Common {
  kind: "ONBUILD";
  /** As the base image keeps it. */
  trigger: string;
}

export type Instruction =
  | From
  | Arg
  | KeyValues
  | Run
  | Copy
  | CommandInstruction
  | Shell
  | Value
  | Values
  | HealthCheckInstruction
  | OnBuild;

export type InstructionKind = Instruction["kind"];

export const instructionKinds: readonly InstructionKind[] = [
  "FROM",
  "RUN",
  "CMD",
  "LABEL",
  "MAINTAINER",
  "EXPOSE",
  "ENV",
  "ADD",
  "COPY",
  "ENTRYPOINT",
  "VOLUME",
  "USER",
  "WORKDIR",
  "ARG",
  "ONBUILD",
  "STOPSIGNAL",
  "HEALTHCHECK",
  "SHELL",
];
