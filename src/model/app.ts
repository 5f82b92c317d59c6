/** What one app file declares (a Compose project), loaded, merged and checked. Plain JSON: it is stored, sent and compared as it is. */
import type { AddressPool } from "./network.ts";
import type { Json, Service } from "./service.ts";

export interface App {
  /** [a-z0-9][a-z0-9_-]* */
  name: string;
  /** Absolute path that relative ones were resolved against. */
  directory: string;
  /** Absolute paths of the files given, in order; "-" for the standard input. Included and extended ones are not listed. */
  files: string[];
  /** Enabled by the active profiles. */
  services: Record<string, Service>;
  /** Not enabled; listed so that naming one can enable it. */
  disabledServices: Record<string, Service>;
  /** Those that a service uses, "default" included. */
  networks: Record<string, AppNetwork>;
  volumes: Record<string, AppVolume>;
  secrets: Record<string, AppSecret>;
  configs: Record<string, AppConfig>;
  models: Record<string, AppModel>;
  /** Active profiles. */
  profiles: string[];
  /** Typed parameters of the app and of the apps nested in it, with the values used. */
  params: AppParam[];
  /** x-* at the top, x-berth left out. */
  extensions: Record<string, Json>;
}

export interface AppNetwork {
  /** Real name: `<app>_<key>` unless given. */
  name: string;
  /** Made by somebody else: must exist, is never removed. */
  external: boolean;
  driver?: string;
  options: Record<string, string>;
  internal?: boolean;
  attachable?: boolean;
  enableIpv4?: boolean;
  enableIpv6?: boolean;
  ipamDriver?: string;
  ipamOptions?: Record<string, string>;
  pools: AddressPool[];
  labels: Record<string, string>;
  extensions: Record<string, Json>;
}

export interface AppVolume {
  name: string;
  external: boolean;
  driver?: string;
  options: Record<string, string>;
  labels: Record<string, string>;
  extensions: Record<string, Json>;
}

/** Where the bytes of a secret or config come from; read at `up`, except `content`. */
export type FileOrigin =
  | { from: "file"; path: string }
  /** Value of a variable at load time. A secret's is not kept in the App: `up` reads it again. */
  | { from: "environment"; variable: string }
  | { from: "content"; content: string }
  | { from: "driver"; driver: string; options: Record<string, string> }
  | { from: "external" };

export interface AppSecret {
  name: string;
  origin: FileOrigin;
  labels: Record<string, string>;
  templateDriver?: string;
  extensions: Record<string, Json>;
}

export type AppConfig = AppSecret;

/** Parsed; refused by name at `up`. */
export interface AppModel {
  name?: string;
  model: string;
  contextSize?: number;
  runtimeFlags: string[];
  extensions: Record<string, Json>;
}

export type ParamType = "string" | "int" | "bool" | "enum" | "secret" | "size" | "duration";

/** A typed parameter as declared under x-berth.params. */
export interface ParamSpec {
  /** Name, after the names of the nested apps that it is in: "orders.db.size". */
  name: string;
  type: ParamType;
  description?: string;
  /** As typed: the text that `${name}` becomes. */
  default?: string;
  /** enum */
  values?: string[];
  /** string, secret: must match whole. RE2 syntax. */
  pattern?: string;
  /** int: value; size: bytes; duration: milliseconds; string, secret: length. */
  min?: number;
  max?: number;
  /** Not asked for, and left out of lists. */
  hidden?: boolean;
}

export type ParamSource = "set" | "answers" | "environment" | "parent" | "default";

export interface AppParam extends ParamSpec {
  /** Absent for a secret: its value is never kept here. */
  value?: string;
  source: ParamSource;
}
