import { isCode } from "../../base/errors.ts";
import type { ImageRunConfig } from "../../model/image.ts";
import type { DockerContext } from "../docker-context.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Operation } from "../http/operation.ts";
import { inspectOf } from "./container-inspect.ts";
import { statsOf } from "./container-stats.ts";
import { summaryOf } from "./container-summary.ts";

/** Looking at containers. */
export const containerLookOperations: Operation[] = [
  {
    id: "ContainerList",
    method: "GET",
    path: "/containers/json",
    summary: "List containers",
    query: ["all", "limit", "size", "filters"],
    handle: listContainers,
  },
  {
    id: "ContainerInspect",
    method: "GET",
    path: "/containers/{id}/json",
    summary: "Inspect a container",
    query: ["size"],
    handle: inspectContainer,
  },
  {
    id: "ContainerTop",
    method: "GET",
    path: "/containers/{id}/top",
    summary: "List processes running inside a container",
    query: ["ps_args"],
    handle: async ({ engine }, exchange) => {
      const args = (exchange.query.text("ps_args") ?? "-ef").split(/\s+/);
      const { titles, processes } = await engine.containers.top(exchange.param("id"), args, exchange);
      exchange.json({ Titles: titles, Processes: processes });
    },
  },
  {
    id: "ContainerChanges",
    method: "GET",
    path: "/containers/{id}/changes",
    summary: "Get changes on a container's file system",
    handle: async ({ engine }, exchange) => {
      const kinds = { modified: 0, added: 1, deleted: 2 };
      const changes = await engine.containers.changes(exchange.param("id"), exchange);
      exchange.json(changes.length === 0 ? null : changes.map(({ path, kind }) => ({ Path: path, Kind: kinds[kind] })));
    },
  },
  {
    id: "ContainerStats",
    method: "GET",
    path: "/containers/{id}/stats",
    summary: "Get container stats based on resource usage",
    query: ["stream", "one-shot"],
    handle: containerStats,
  },
];

async function listContainers({ engine, clock }: DockerContext, exchange: Exchange): Promise<void> {
  const { query } = exchange;
  const limit = query.number("limit") ?? 0;
  const found = await engine.containers.list({
    all: query.flag("all"),
    // 0 and -1 both say "all of them".
    limit: limit > 0 ? limit : undefined,
    filters: query.filters(),
    signal: exchange.signal,
  });
  const now_ms = clock.now_ms();
  if (!query.flag("size")) return exchange.json(found.map(summary => summaryOf(summary, now_ms)));
  const sized = [];
  for (const summary of found) {
    try {
      sized.push(summaryOf(summary, now_ms, await engine.containers.sizes(summary.id, exchange)));
    } catch (thrown) {
      // Removed while we looked.
      if (!isCode(thrown, "not_found")) throw thrown;
    }
  }
  exchange.json(sized);
}

async function inspectContainer({ engine }: DockerContext, exchange: Exchange): Promise<void> {
  const container = await engine.containers.inspect(exchange.param("id"), exchange);
  const image: ImageRunConfig | undefined = (await engine.images.find(container.imageId, exchange))?.config.config;
  const sizes = exchange.query.flag("size") ? await engine.containers.sizes(container.id, exchange) : undefined;
  exchange.json(inspectOf(container, image, [], sizes));
}

async function containerStats({ engine, clock }: DockerContext, exchange: Exchange): Promise<void> {
  const { query, signal } = exchange;
  const stream = query.flag("stream", true);
  const { id, name, state } = await engine.containers.inspect(exchange.param("id"), exchange);
  const readings = statsOf(
    () => engine.containers.stats(id, exchange),
    { id, name },
    {
      ...{ stream, clock, signal },
      // Of one that does not run there is nothing to compare.
      oneShot: query.flag("one-shot") || state.pid === 0,
    },
  );
  if (!stream) return exchange.json((await readings.next()).value);
  const lines = exchange.lines();
  try {
    for await (const reading of readings) if (!(await lines.write(reading))) return;
  } catch (thrown) {
    // Its removal ends the stream.
    if (!lines.begun || !isCode(thrown, "not_found", "cancelled")) throw thrown;
  }
  lines.end();
}
