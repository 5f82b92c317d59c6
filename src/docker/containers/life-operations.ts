import { asBerthError, BerthError } from "../../base/errors.ts";
import type { WaitCondition } from "../../ports/engine.ts";
import type { DockerContext } from "../docker-context.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Operation } from "../http/operation.ts";
import { parseDetachKeys } from "../streams/detach-keys.ts";
import { toContainerSpec, toRestart } from "./to-container-spec.ts";
import { toPorts } from "./to-ports.ts";
import { toResources } from "./to-resources.ts";

/** From creation to removal. */
export const containerLifeOperations: Operation[] = [
  {
    id: "ContainerCreate",
    method: "POST",
    path: "/containers/create",
    summary: "Create a container",
    query: ["name", "platform"],
    handle: async ({ engine }, exchange) => {
      const { query } = exchange;
      const names = { name: query.text("name"), platform: query.text("platform") };
      const spec = toContainerSpec(await exchange.body(), names);
      const { id, warnings } = await engine.containers.create(spec, exchange);
      exchange.json({ Id: id, Warnings: warnings }, 201);
    },
  },
  {
    id: "ContainerStart",
    method: "POST",
    path: "/containers/{id}/start",
    summary: "Start a container",
    query: ["detachKeys"],
    handle: async ({ engine }, exchange) => {
      const { query } = exchange;
      if (query.text("checkpoint")) throw new BerthError("unsupported", "checkpoint: checkpoints are not served");
      const detachKeys = query.text("detachKeys");
      parseDetachKeys(detachKeys);
      // A client that leaves does not take back the start.
      await engine.containers.start(exchange.param("id"), { detachKeys });
      exchange.empty();
    },
  },
  {
    id: "ContainerStop",
    method: "POST",
    path: "/containers/{id}/stop",
    summary: "Stop a container",
    query: ["signal", "t"],
    handle: async ({ engine }, exchange) => {
      await engine.containers.stop(exchange.param("id"), stopOptions(exchange));
      exchange.empty();
    },
  },
  {
    id: "ContainerRestart",
    method: "POST",
    path: "/containers/{id}/restart",
    summary: "Restart a container",
    query: ["signal", "t"],
    handle: async ({ engine }, exchange) => {
      await engine.containers.restart(exchange.param("id"), stopOptions(exchange));
      exchange.empty();
    },
  },
  {
    id: "ContainerKill",
    method: "POST",
    path: "/containers/{id}/kill",
    summary: "Kill a container",
    query: ["signal"],
    handle: async ({ engine }, exchange) => {
      await engine.containers.kill(exchange.param("id"), exchange.query.text("signal") ?? "KILL");
      exchange.empty();
    },
  },
  {
    id: "ContainerPause",
    method: "POST",
    path: "/containers/{id}/pause",
    summary: "Pause a container",
    handle: async ({ engine }, exchange) => {
      await engine.containers.pause(exchange.param("id"));
      exchange.empty();
    },
  },
  {
    id: "ContainerUnpause",
    method: "POST",
    path: "/containers/{id}/unpause",
    summary: "Unpause a container",
    handle: async ({ engine }, exchange) => {
      await engine.containers.unpause(exchange.param("id"));
      exchange.empty();
    },
  },
  {
    id: "ContainerWait",
    method: "POST",
    path: "/containers/{id}/wait",
    summary: "Wait for a container",
    query: ["condition"],
    handle: waitContainer,
  },
  {
    id: "ContainerRename",
    method: "POST",
    path: "/containers/{id}/rename",
    summary: "Rename a container",
    query: ["name"],
    handle: async ({ engine }, exchange) => {
      await engine.containers.rename(exchange.param("id"), exchange.query.required("name").replace(/^\//, ""));
      exchange.empty();
    },
  },
  {
    id: "ContainerUpdate",
    method: "POST",
    path: "/containers/{id}/update",
    summary: "Update a container",
    note: "also takes PortBindings, as Docker does not: published ports of a running container change",
    handle: async ({ engine }, exchange) => {
      const body = await exchange.body();
      const restart = body.object("RestartPolicy");
      const ports = body.object("PortBindings");
      const { warnings } = await engine.containers.update(exchange.param("id"), {
        resources: toResources(body),
        restart: restart?.text("Name") ? toRestart(restart) : undefined,
        ports: ports && toPorts(ports),
      });
      exchange.json({ Warnings: warnings });
    },
  },
  {
    id: "ContainerDelete",
    method: "DELETE",
    path: "/containers/{id}",
    summary: "Remove a container",
    query: ["v", "force", "link"],
    handle: async ({ engine }, exchange) => {
      const { query } = exchange;
      const options = { volumes: query.flag("v"), force: query.flag("force"), link: query.flag("link") };
      await engine.containers.remove(exchange.param("id"), options);
      exchange.empty();
    },
  },
  {
    id: "ContainerPrune",
    method: "POST",
    path: "/containers/prune",
    summary: "Delete stopped containers",
    query: ["filters"],
    handle: async ({ engine }, exchange) => {
      const pruned = await engine.containers.prune({ filters: exchange.query.filters(), signal: exchange.signal });
      exchange.json({ ContainersDeleted: pruned.removed, SpaceReclaimed: pruned.reclaimed_bytes });
    },
  },
  {
    id: "ContainerResize",
    method: "POST",
    path: "/containers/{id}/resize",
    summary: "Resize a container TTY",
    query: ["h", "w"],
    handle: async ({ engine }, exchange) => {
      const { rows, columns } = terminalSize(exchange);
      await engine.containers.resize(exchange.param("id"), rows, columns, exchange);
      exchange.empty(200);
    },
  },
];

export function terminalSize({ query }: Exchange): { rows: number; columns: number } {
  const size = { rows: query.number("h"), columns: query.number("w") };
  const ok = (value: number | undefined): value is number => value !== undefined && value >= 0 && value <= 65535;
  if (ok(size.rows) && ok(size.columns)) return { rows: size.rows, columns: size.columns };
  throw new BerthError("invalid", "h and w must be the terminal's height and width, 0 to 65535");
}

/** Stopping goes on when the client leaves: half a stop would help nobody. */
function stopOptions({ query }: Exchange): { timeout_ms?: number; stopSignal?: string } {
  const patience_s = query.number("t");
  return { timeout_ms: patience_s === undefined ? undefined : patience_s * 1000, stopSignal: query.text("signal") };
}

const conditions = ["not-running", "next-exit", "removed"] as const;

/** The headers go out as soon as no exit can be missed any more: clients start the container when they have them. */
async function waitContainer({ engine }: DockerContext, exchange: Exchange): Promise<void> {
  const given = exchange.query.text("condition") ?? "not-running";
  const condition = conditions.find((known): known is WaitCondition => known === given);
  if (condition === undefined) {
    throw new BerthError("invalid", `invalid condition: ${JSON.stringify(given)}`, { hint: conditions.join(", ") });
  }
  const lines = exchange.lines();
  const onRegistered = () => lines.start();
  try {
    const { exitCode, error } = await engine.containers.wait(exchange.param("id"), {
      ...{ condition, onRegistered },
      signal: exchange.signal,
    });
    await lines.write({ StatusCode: exitCode, ...(error ? { Error: { Message: error } } : {}) });
  } catch (thrown) {
    if (!lines.begun) throw thrown;
    await lines.write({ StatusCode: -1, Error: { Message: asBerthError(thrown).message } });
  }
  lines.end();
}
