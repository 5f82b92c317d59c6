import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { EngineContext } from "../context.ts";
import { containerEvent } from "../lifecycle/attributes.ts";
import { withContainer } from "../lifecycle/settle.ts";
import { checkName } from "../names.ts";

/** Both names are held for a moment: killed in between, the container keeps the one in its record and `check` frees the other. */
export async function renameContainer(
  context: EngineContext,
  reference: string,
  wanted: string,
  options: CallOptions,
): Promise<void> {
  const name = checkName(wanted);
  await withContainer(context, reference, options, async ({ id, config }) => {
    if (config.name === name) {
      throw new BerthError("invalid", `container ${id.slice(0, 12)} has the name ${name} already`);
    }
    const { names } = context.store;
    await names.claim(name, id);
    const renamed = { ...config, name, spec: { ...config.spec, name } };
    context.store.writeConfig(renamed);
    names.release(config.name, id);
    containerEvent(context, renamed, "rename", { oldName: `/${config.name}` });
  });
}
