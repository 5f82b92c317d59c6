import { BerthError } from "../../base/errors.ts";
import type { PathStat } from "../../ports/engine.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Operation } from "../http/operation.ts";

const tarType = "application/x-tar";

/** Files of a container. */
export const containerFileOperations: Operation[] = [
  {
    id: "ContainerArchiveInfo",
    method: "HEAD",
    path: "/containers/{id}/archive",
    summary: "Get information about files in a container",
    query: ["path"],
    handle: async ({ engine }, exchange) => {
      sendStat(exchange, await engine.containers.statPath(exchange.param("id"), pathOf(exchange), exchange));
      exchange.empty(200);
    },
  },
  {
    id: "ContainerArchive",
    method: "GET",
    path: "/containers/{id}/archive",
    summary: "Get an archive of a filesystem resource in a container",
    query: ["path"],
    handle: async ({ engine }, exchange) => {
      const { stat, tar } = await engine.containers.readArchive(exchange.param("id"), pathOf(exchange), exchange);
      sendStat(exchange, stat);
      await exchange.stream(tar, tarType);
    },
  },
  {
    id: "PutContainerArchive",
    method: "PUT",
    path: "/containers/{id}/archive",
    summary: "Extract an archive of files or folders to a directory in a container",
    query: ["path", "noOverwriteDirNonDir", "copyUIDGID"],
    handle: async ({ engine }, exchange) => {
      const { query, signal } = exchange;
      await engine.containers.writeArchive(exchange.param("id"), pathOf(exchange), exchange.upload(), {
        noOverwriteDirNonDir: query.flag("noOverwriteDirNonDir"),
        copyOwner: query.flag("copyUIDGID"),
        signal,
      });
      exchange.empty(200);
    },
  },
  {
    id: "ContainerExport",
    method: "GET",
    path: "/containers/{id}/export",
    summary: "Export a container",
    handle: async ({ engine }, exchange) => {
      await exchange.stream(await engine.containers.export(exchange.param("id"), exchange), tarType);
    },
  },
];

function pathOf({ query }: Exchange): string {
  const path = query.required("path");
  if (path.includes("\0")) throw new BerthError("invalid", "path: it has a zero byte in it");
  return path;
}

function sendStat(exchange: Exchange, stat: PathStat): void {
  const { name, size, mode, mtime, linkTarget } = stat;
  const text = JSON.stringify({ name, size, mode, mtime, linkTarget });
  exchange.response.setHeader("X-Docker-Container-Path-Stat", Buffer.from(text).toString("base64"));
}
