import { BerthError } from "../../base/errors.ts";
import type { Filters } from "../../ports/engine.ts";

/** --filter KEY=VALUE, several times. `KEY!=VALUE` is kept as the key `KEY!`. */
export function parseFilters(pairs: string[]): Filters {
  const filters: Filters = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1)
      throw new BerthError("invalid", `--filter "${pair}" is not KEY=VALUE`, {
        hint: "for example --filter status=exited or --filter label=app=web",
      });
    const key = pair.slice(0, at).toLowerCase();
    filters[key] = [...(filters[key] ?? []), pair.slice(at + 1)];
  }
  return filters;
}
