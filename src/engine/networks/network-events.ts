import type { Network } from "../../model/network.ts";
import type { EngineContext } from "../context.ts";

export function networkEvent(
  context: EngineContext,
  network: Network,
  action: string,
  attributes: Record<string, string> = {},
): void {
  context.events.append("network", action, network.id, { name: network.name, type: network.driver, ...attributes });
}
