import { BerthError } from "../../base/errors.ts";
import { parseDuration_ms } from "../../model/duration.ts";
import type { EngineEvent } from "../../model/event.ts";
import type { DockerContext } from "../docker-context.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Operation } from "../http/operation.ts";
import { authOf } from "../images/registry-auth.ts";
import { diskUsage } from "./disk-usage.ts";
import { infoOf } from "./info.ts";
import { versionOf } from "./version.ts";

export const systemOperations: Operation[] = [
  {
    id: "SystemAuth",
    method: "POST",
    path: "/auth",
    summary: "Check auth configuration",
    handle: async ({ engine }, exchange) => {
      const body = await exchange.body();
      const registry = body.text("serveraddress") || "docker.io";
      await engine.images.login(registryHost(registry), authOf(body), exchange);
      exchange.json({ Status: "Login Succeeded", IdentityToken: "" });
    },
  },
  {
    id: "SystemInfo",
    method: "GET",
    path: "/info",
    summary: "Get system information",
    handle: async ({ engine, hostId, clock }, exchange) => {
      exchange.json(infoOf(await engine.system.info(exchange), hostId, clock.now_ms()));
    },
  },
  {
    id: "SystemVersion",
    method: "GET",
    path: "/version",
    summary: "Get version",
    handle: async ({ engine }, exchange) => exchange.json(versionOf(await engine.system.info(exchange))),
  },
  { id: "SystemPing", method: "GET", path: "/_ping", summary: "Ping", handle: ping },
  { id: "SystemPingHead", method: "HEAD", path: "/_ping", summary: "Ping", handle: ping },
  {
    id: "SystemEvents",
    method: "GET",
    path: "/events",
    summary: "Monitor events",
    query: ["since", "until", "filters"],
    handle: sendEvents,
  },
  {
    id: "SystemDataUsage",
    method: "GET",
    path: "/system/df",
    summary: "Get data usage information",
    query: ["type", "verbose"],
    handle: async (docker, exchange) => exchange.json(await diskUsage(docker, exchange)),
  },
];

/** "https://registry.example.com/v1/" is the registry's host; Docker Hub's old address is docker.io. */
function registryHost(address: string): string {
  const host = address.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return host === "index.docker.io" ? "docker.io" : host;
}

/** Builder 1 is the classic one: clients then send the build to POST /build. */
function ping(_: DockerContext, { request, response }: Exchange): void {
  response.writeHead(200, {
    "Builder-Version": "1",
    "Cache-Control": "no-cache, no-store, must-revalidate",
    Pragma: "no-cache",
    Swarm: "inactive",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": request.method === "HEAD" ? 0 : 2,
  });
  response.end(request.method === "HEAD" ? undefined : "OK");
}

async function sendEvents({ engine, clock }: DockerContext, exchange: Exchange): Promise<void> {
  const { query, signal } = exchange;
  const time = (name: string) => query.time_ms(name, clock.now_ms(), parseDuration_ms);
  const [since_ms, until_ms] = [time("since"), time("until")];
  if (since_ms !== undefined && until_ms !== undefined && until_ms < since_ms) {
    throw new BerthError("invalid", "until lies before since");
  }
  const events = engine.system.events({ since_ms, until_ms, filters: query.filters(), signal });
  const lines = exchange.lines();
  // Nobody may believe that nothing happens because the headers have not come; a wrong filter is told before.
  const first = events[Symbol.asyncIterator]();
  let next = first.next();
  const settled = await Promise.race([next.then(() => true), clock.sleep(1, { signal }).then(() => false)]);
  if (!settled) lines.start();
  for (let { done, value } = await next; !done; { done, value } = await next) {
    if (!(await lines.write(eventOf(value as EngineEvent)))) {
      await first.return?.();
      return;
    }
    next = first.next();
  }
  lines.end();
}

function eventOf({ type, action, id, attributes, time_ms }: EngineEvent) {
  return {
    ...(type === "container" ? { status: action, id, from: attributes["image"] ?? "" } : {}),
    ...(type === "image" ? { status: action, id } : {}),
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: "local",
    time: Math.floor(time_ms / 1000),
    timeNano: Math.round(time_ms * 1e6),
  };
}
