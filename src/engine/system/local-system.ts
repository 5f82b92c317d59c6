import type { SystemBackend } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { checkSystem } from "./check-system.ts";
import { diskUsage } from "./disk-usage.ts";
import { engineInfo } from "./engine-info.ts";

export function localSystem(context: EngineContext): SystemBackend {
  return {
    info: options => engineInfo(context, options ?? {}),
    diskUsage: options => diskUsage(context, options ?? {}),
    events: options => context.events.read(options ?? {}),
    check: options => checkSystem(context, options ?? {}),
  };
}
