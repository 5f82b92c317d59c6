import { BerthError } from "../base/errors.ts";
import type { HostView } from "./host-view.ts";

export interface Constraint {
  /** "node.labels.disk" */
  key: string;
  operator: "==" | "!=";
  value: string;
  /** As typed. */
  text: string;
}

const expression = /^\s*([a-z0-9\-_.]+)\s*(==|!=)\s*([a-z0-9\-_.:/+*]+)\s*$/i;

/** Reads one expression of deploy.placement.constraints, swarm mode's language. Throws `invalid`. */
export function parseConstraint(text: string): Constraint {
  const match = expression.exec(text);
  if (!match || !isKnownKey(match[1]!.toLowerCase())) {
    throw new BerthError("invalid", `placement constraint "${text}": not an expression that Berth knows`, {
      hint: "write KEY == VALUE or KEY != VALUE, with node.id, node.hostname, node.role, node.platform.os, node.platform.arch, node.labels.NAME or engine.labels.NAME as the key",
    });
  }
  return { key: match[1]!, operator: match[2] as "==" | "!=", value: match[3]!, text: text.trim() };
}

function isKnownKey(key: string): boolean {
  return (
    ["node.id", "node.hostname", "node.role", "node.platform.os", "node.platform.arch"].includes(key) ||
    /^(node|engine)\.labels\../.test(key)
  );
}

/** Undefined where it holds, else what the host has instead: "node.labels.disk is hdd". */
export function checkConstraint(constraint: Constraint, view: HostView): string | undefined {
  const found = factOf(constraint.key, view);
  const equal = found !== undefined && found.toLowerCase() === constraint.value.toLowerCase();
  if (equal === (constraint.operator === "==")) return undefined;
  return found === undefined ? `${constraint.key} is not set` : `${constraint.key} is ${found}`;
}

const architectures: Record<string, string> = { amd64: "x86_64", arm64: "aarch64" };

function factOf(key: string, { host, wish }: HostView): string | undefined {
  const { facts } = host;
  switch (key.toLowerCase()) {
    case "node.id":
      return host.id;
    case "node.hostname":
      return facts.name;
    case "node.role":
      return facts.labels["io.berth.role"] ?? "manager";
    case "node.platform.os":
      return facts.os;
    case "node.platform.arch":
      return architectures[facts.architecture] ?? facts.architecture;
  }
  const [scope, , ...rest] = key.split(".");
  const name = rest.join(".");
  return scope?.toLowerCase() === "node" ? wish.labels[name] : facts.labels[name];
}
