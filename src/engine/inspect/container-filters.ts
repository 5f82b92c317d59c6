import { BerthError } from "../../base/errors.ts";
import type { ContainerSummary } from "../../model/container.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { Filters } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { matchesLabelFilters } from "../filters/labels.ts";

type Test = (summary: ContainerSummary) => boolean;

const statuses = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];

/** One filter key with one value as a test; several values of a key are alternatives, several keys all hold. */
const tests: Record<string, (value: string, context: EngineContext, options: CallOptions) => Promise<Test> | Test> = {
  id:
    value =>
    ({ id }) =>
      id.startsWith(value) || matchesPattern(value, id),
  name:
    value =>
    ({ name }) =>
      matchesPattern(
        value.replace(/^\^?\//, match => match.replace("/", "")),
        name,
      ),
  status: value => {
    if (!statuses.includes(value)) throw wrongValue("status", value, statuses);
    return ({ state }) => state.status === value;
  },
  exited: value => {
    if (!/^-?\d+$/.test(value)) throw wrongValue("exited", value, ["an exit code"]);
    return ({ state }) => state.status === "exited" && state.exitCode === Number(value);
  },
  health:
    value =>
    ({ state }) =>
      (state.health?.status ?? "none") === value,
  volume:
    value =>
    ({ mounts }) =>
      mounts.some(mount => [mount.name, mount.source, mount.target].includes(value)),
  publish: value =>
    portTest(value, summary =>
      summary.publishedPorts.flatMap(port => [
        `${port.hostPort}/${port.protocol}`,
        `${port.containerPort}/${port.protocol}`,
      ]),
    ),
  expose: value => portTest(value, summary => summary.exposedPorts),
  "is-task": value => () => value === "false" || value === "0",
  isolation: () => () => true,
  network: async (value, context) => {
    const id = await networkId(context, value);
    return summary =>
      summary.endpoints.some(endpoint => endpoint.networkId === id || endpoint.networkName === value) ||
      summary.networkMode === value ||
      (summary.networkMode === "default" && value === (context.settings?.defaultNetwork ?? "bridge"));
  },
  ancestor: async (value, context, options) => {
    const image = await context.images.find(value, options);
    const layers = image?.config.rootfs.diff_ids ?? [];
    return ({ id, imageId }) => {
      if (image === undefined) return false;
      // An image built on it counts too: its chain of layers begins with the same ones.
      const chain = context.store.tryConfig(id)?.diffIds ?? [];
      return imageId === image.id || (layers.length > 0 && layers.every((layer, index) => chain[index] === layer));
    };
  },
  before: (value, context) => comparedTo(context, value, (own, other) => own < other),
  since: (value, context) => comparedTo(context, value, (own, other) => own > other),
};

export async function containerTests(context: EngineContext, filters: Filters, options: CallOptions): Promise<Test> {
  const all: Test[] = [summary => matchesLabelFilters(summary.labels, filters)];
  for (const [key, values] of Object.entries(filters)) {
    if (key === "label" || key === "label!" || values.length === 0) continue;
    const make = tests[key];
    if (make === undefined) {
      throw new BerthError("invalid", `containers have no filter ${JSON.stringify(key)}`, {
        hint: `use one of ${Object.keys(tests).join(", ")}, label`,
      });
    }
    const any = await Promise.all(values.map(value => make(value, context, options)));
    all.push(summary => any.some(test => test(summary)));
  }
  return summary => all.every(test => test(summary));
}

function comparedTo(context: EngineContext, reference: string, compare: (own: string, other: string) => boolean): Test {
  const other = context.store.config(context.store.find(reference));
  return ({ createdAt }) => compare(createdAt, other.createdAt);
}

/** Docker matches names as regular expressions, unanchored. */
function matchesPattern(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return text.includes(pattern);
  }
}

/** "80", "80/tcp" or "8000-8010/udp". */
function portTest(value: string, portsOf: (summary: ContainerSummary) => string[]): Test {
  const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(value);
  if (match === null) throw wrongValue("port", value, ["80", "80/tcp", "8000-8010/udp"]);
  const [first, last, protocol] = [Number(match[1]), Number(match[2] ?? match[1]), match[3] ?? "tcp"];
  return summary =>
    portsOf(summary).some(text => {
      const [port, kind] = text.split("/");
      return kind === protocol && Number(port) >= first && Number(port) <= last;
    });
}

async function networkId(context: EngineContext, reference: string): Promise<string | undefined> {
  const networks = await context.networks.list();
  return networks.find(({ id, name }) => name === reference || id === reference || id.startsWith(reference))?.id;
}

function wrongValue(key: string, value: string, accepted: string[]): BerthError {
  return new BerthError("invalid", `filter ${key}=${value} is not understood`, { hint: `use ${accepted.join(", ")}` });
}
