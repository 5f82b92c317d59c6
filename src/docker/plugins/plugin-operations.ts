import { BerthError } from "../../base/errors.ts";
import type { DockerContext } from "../docker-context.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Method, Operation } from "../http/operation.ts";

type Row = [id: string, method: Method, path: string, summary: string];

const refused: Row[] = [
  ["GetPluginPrivileges", "GET", "/plugins/privileges", "Get plugin privileges"],
  ["PluginPull", "POST", "/plugins/pull", "Install a plugin"],
  ["PluginEnable", "POST", "/plugins/{name}/enable", "Enable a plugin"],
  ["PluginDisable", "POST", "/plugins/{name}/disable", "Disable a plugin"],
  ["PluginUpgrade", "POST", "/plugins/{name}/upgrade", "Upgrade a plugin"],
  ["PluginCreate", "POST", "/plugins/create", "Create a plugin"],
  ["PluginPush", "POST", "/plugins/{name}/push", "Push a plugin"],
  ["PluginSet", "POST", "/plugins/{name}/set", "Configure a plugin"],
];

/** There are none, and none can be installed. */
export const pluginOperations: Operation[] = [
  { id: "PluginList", method: "GET", path: "/plugins", summary: "List plugins", query: ["filters"], handle: list },
  { id: "PluginInspect", method: "GET", path: "/plugins/{name}/json", summary: "Inspect a plugin", handle: missing },
  { id: "PluginDelete", method: "DELETE", path: "/plugins/{name}", summary: "Remove a plugin", handle: missing },
  ...refused.map(
    ([id, method, path, summary]): Operation => ({
      ...{ id, method, path, summary, status: "refused", handle: refuse },
      note: "plugins run with the host's privileges; Berth has drivers instead",
    }),
  ),
];

function list(_: DockerContext, exchange: Exchange): void {
  exchange.json([]);
}

function missing(_: DockerContext, exchange: Exchange): never {
  throw new BerthError("not_found", `plugin ${JSON.stringify(exchange.param("name"))} not found`);
}

function refuse(): never {
  throw new BerthError("unsupported", "plugins of Docker are not served", {
    hint: "volumes, networks and logs have drivers built in",
  });
}
