import { BerthError } from "../../base/errors.ts";
import type { Network } from "../../model/network.ts";
import type { Filters } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { matchesLabelFilters } from "../filters/labels.ts";

type Test = (network: Network) => boolean;

const tests: Record<string, (value: string) => Test> = {
  id: value => network => network.id.startsWith(value),
  name: value => network => network.name.includes(value),
  driver: value => network => network.driver === value,
  scope: value => () => value === "local",
  type: value => network => (value === "builtin") === network.builtin,
};

/** Docker's filters of GET /networks. Throws `invalid` on a key that there is not. */
export async function networkTest(context: EngineContext, filters: Filters): Promise<Test> {
  const all: Test[] = [network => matchesLabelFilters(network.labels, filters)];
  for (const [key, values] of Object.entries(filters)) {
    if (key === "label" || key === "label!" || values.length === 0) continue;
    if (key === "dangling") {
      all.push(await danglingTest(context, values.includes("true") || values.includes("1")));
      continue;
    }
    const make = tests[key];
    if (make === undefined) {
      throw new BerthError("invalid", `networks have no filter ${JSON.stringify(key)}`, {
        hint: `use one of ${Object.keys(tests).join(", ")}, dangling, label`,
      });
    }
    const any = values.map(make);
    all.push(network => any.some(test => test(network)));
  }
  return network => all.every(test => test(network));
}

/** Dangling: used by no container. */
async function danglingTest(context: EngineContext, wanted: boolean): Promise<Test> {
  const networks = await context.networks.list();
  const used = new Set<string>();
  for (const { id } of networks) if ((await context.networks.members(id)).length > 0) used.add(id);
  return network => !network.builtin && used.has(network.id) !== wanted;
}
