import { BerthError } from "../../base/errors.ts";
import type { LogConfig } from "../../model/container.ts";

/** A container that logs without limit fills its host: Docker's best-known trap. So rotation is on unless changed. */
const default_bytes = 10 * 1024 ** 2;
const defaultFiles = 3;
const mostFiles = 100;

export interface LogLimits {
  maxSize_bytes: number;
  /** Files in all, the present one included. */
  maxFiles: number;
}

/** Undefined: nothing is logged. Throws `invalid` naming the option. */
export function logLimits(log: LogConfig): LogLimits | undefined {
  if (log.driver === "none") return undefined;
  const { "max-size": size, "max-file": files } = log.options;
  const maxFiles = files === undefined ? defaultFiles : Number(files);
  if (!Number.isInteger(maxFiles) || maxFiles < 1 || maxFiles > mostFiles) {
    throw new BerthError("invalid", `log option max-file=${files} is not a number from 1 to ${mostFiles}`);
  }
  const maxSize_bytes = size === undefined ? default_bytes : parseSize(size);
  if (!(maxSize_bytes >= 4096)) {
    throw new BerthError("invalid", `log option max-size=${size} is not a size of at least 4k`, {
      hint: "write it as 500k, 10m or 1g; -1 switches rotation off",
    });
  }
  return { maxSize_bytes, maxFiles };
}

/** "10m", "1.5g", "4096"; binary units as Docker's log options have them; -1 is no limit. NaN when it is no size. */
function parseSize(text: string): number {
  if (text === "-1") return Number.POSITIVE_INFINITY;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return Number.NaN;
  return Math.floor(Number(match[1]) * 1024 ** " kmgt".indexOf((match[2] || " ").toLowerCase()));
}
