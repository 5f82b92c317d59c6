import { BerthError } from "../../base/errors.ts";

/** A refusal of a container's specification that names the field. */
export function invalid(field: string, found: string, hint?: string): BerthError {
  return new BerthError("invalid", `container ${field}: ${found}`, { hint, details: { field } });
}
