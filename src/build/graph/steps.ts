import type { ImageRunConfig, Platform } from "../../model/image.ts";
import type { MountKind } from "../dockerfile/instruction.ts";
import type { Position } from "../dockerfile/source.ts";

/** Where a stage starts from. */
export type StageBase =
  | { kind: "scratch" }
  | { kind: "stage"; index: number }
  | { kind: "image"; reference: string }
  /** A named context that holds files: they are the root. */
  | { kind: "context"; name: string };

/** Where COPY, ADD and bind mounts take files from; the context with the name "" is the build's own. */
export type FileSource =
  | { kind: "context"; name: string }
  | { kind: "stage"; index: number }
  | { kind: "image"; reference: string };

interface StepCommon {
  at: Position;
  /** The instruction as people know it, on one line. */
  text: string;
  /** For the image's history. */
  createdBy: string;
}

export interface StepMountPlan {
  kind: MountKind;
  at: Position;
  target: string;
  /** bind and cache: path inside `from`. */
  source: string;
  from?: FileSource;
  readOnly: boolean;
  /** cache, secret, ssh */
  id: string;
  sharing: "shared" | "private" | "locked";
  required: boolean;
  /** secret: variable that gets the value. */
  env?: string;
  mode?: number;
  uid: number;
  gid: number;
  size_bytes?: number;
}

export interface RunStep extends StepCommon {
  kind: "run";
  args: string[];
  env: string[];
  /** Proxies given as build arguments: they reach the command, and neither cache key nor history. */
  proxyEnv: string[];
  workingDir: string;
  user: string;
  mounts: StepMountPlan[];
  network: "default" | "host" | "none";
  /** Mounted as an executable file; `args` runs it. */
  script?: { target: string; text: string };
}

export interface CopyStep extends StepCommon {
  kind: "copy";
  isAdd: boolean;
  from: FileSource;
  /** Paths within `from`; for ADD also URLs and git repositories. */
  sources: string[];
  files: { name: string; text: string }[];
  /** Absolute; a slash at the end says that it is a directory. */
  destination: string;
  chown?: string;
  chmod?: string;
  checksum?: string;
  exclude: string[];
  link: boolean;
  parents: boolean;
  keepGit: boolean;
  unpack?: boolean;
}

export interface WorkdirStep extends StepCommon {
  kind: "workdir";
  path: string;
}

/** Changes nothing but the configuration, which the plan has worked out already. */
export interface ConfigStep extends StepCommon {
  kind: "config";
}

export type Step = RunStep | CopyStep | WorkdirStep | ConfigStep;

export interface StagePlan {
  index: number;
  /** As written, or the number. */
  name: string;
  at: Position;
  base: StageBase;
  /** "FROM busybox AS build", variables replaced. */
  text: string;
  platform: Platform;
  steps: Step[];
  /** What containers of the finished stage get. */
  config: ImageRunConfig;
  author?: string;
  /** Stages that must be there first, each once. */
  needs: number[];
  images: string[];
}

export interface BuildPlan {
  target: number;
  /** Needed ones in the order of the file. */
  stages: StagePlan[];
  /** Of all stages, also those not needed. */
  skipped: { index: number; name: string }[];
  warnings: { message: string; line?: number }[];
  sourceDateEpoch?: number;
}
