import type { EngineContext } from "../context.ts";
import type { ContainerConfig } from "../state/record.ts";

/** Appends a container's event with the attributes that Docker gives it: image, name, and every label. */
export function containerEvent(
  context: EngineContext,
  config: ContainerConfig,
  action: string,
  attributes: Record<string, string> = {},
): void {
  context.events.append("container", action, config.id, {
    ...config.process.labels,
    image: config.spec.image,
    name: config.name,
    ...attributes,
  });
}
