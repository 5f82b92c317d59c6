import { BerthError } from "../../base/errors.ts";
import type { Ulimit } from "../../model/container.ts";

/** docker's --ulimit NAME=SOFT[:HARD]. */
export function parseUlimit(limit: string): Ulimit {
  const match = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(limit);
  if (match === null)
    throw new BerthError("invalid", `--ulimit: "${limit}" is not NAME=SOFT[:HARD]`, {
      hint: "for example nofile=1024:4096",
    });
  return { name: match[1]!, soft: Number(match[2]), hard: Number(match[3] ?? match[2]) };
}
