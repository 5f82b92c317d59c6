import { isCode } from "../../base/errors.ts";
import type { Engine, Filters } from "../../ports/engine.ts";

export type Reapable = Pick<Engine, "containers" | "networks" | "volumes" | "images">;

/** Removes everything that the filters select, in the order in which things need each other. What somebody else removes meanwhile is fine. */
export async function reap(engine: Reapable, filters: Filters): Promise<string[]> {
  const removed: string[] = [];
  const each = async (kind: string, names: string[], remove: (name: string) => Promise<unknown>) => {
    for (const name of names) {
      try {
        await remove(name);
        removed.push(`${kind} ${name}`);
      } catch (thrown) {
        if (!isCode(thrown, "not_found", "in_use", "conflict")) throw thrown;
      }
    }
  };
  const { containers, networks, volumes, images } = engine;
  const found = await containers.list({ all: true, filters });
  await each(
    "container",
    found.map(({ id }) => id),
    id => containers.remove(id, { force: true, volumes: true }),
  );
  await each(
    "network",
    (await networks.list({ filters })).filter(one => !one.builtin).map(({ id }) => id),
    id => networks.remove(id),
  );
  await each(
    "volume",
    (await volumes.list({ filters })).map(({ name }) => name),
    name => volumes.remove(name, { force: true }),
  );
  await each(
    "image",
    (await images.list({ filters })).map(({ id }) => id),
    id => images.remove(id, { force: true }),
  );
  return removed;
}
