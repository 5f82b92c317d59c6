import { BerthError } from "../../base/errors.ts";
import type { Method, Operation, OperationGroup } from "../http/operation.ts";

type Row = [id: string, method: Method, path: string, summary: string];

const swarm: Row[] = [
  ["SwarmInspect", "GET", "/swarm", "Inspect swarm"],
  ["SwarmInit", "POST", "/swarm/init", "Initialize a new swarm"],
  ["SwarmJoin", "POST", "/swarm/join", "Join an existing swarm"],
  ["SwarmLeave", "POST", "/swarm/leave", "Leave a swarm"],
  ["SwarmUpdate", "POST", "/swarm/update", "Update a swarm"],
  ["SwarmUnlockkey", "GET", "/swarm/unlockkey", "Get the unlock key"],
  ["SwarmUnlock", "POST", "/swarm/unlock", "Unlock a locked manager"],
];
const nodes: Row[] = [
  ["NodeList", "GET", "/nodes", "List nodes"],
  ["NodeInspect", "GET", "/nodes/{id}", "Inspect a node"],
  ["NodeDelete", "DELETE", "/nodes/{id}", "Delete a node"],
  ["NodeUpdate", "POST", "/nodes/{id}/update", "Update a node"],
];
const services: Row[] = [
  ["ServiceList", "GET", "/services", "List services"],
  ["ServiceCreate", "POST", "/services/create", "Create a service"],
  ["ServiceInspect", "GET", "/services/{id}", "Inspect a service"],
  ["ServiceDelete", "DELETE", "/services/{id}", "Delete a service"],
  ["ServiceUpdate", "POST", "/services/{id}/update", "Update a service"],
  ["ServiceLogs", "GET", "/services/{id}/logs", "Get service logs"],
];
const tasks: Row[] = [
  ["TaskList", "GET", "/tasks", "List tasks"],
  ["TaskInspect", "GET", "/tasks/{id}", "Inspect a task"],
  ["TaskLogs", "GET", "/tasks/{id}/logs", "Get task logs"],
];
const secrets: Row[] = [
  ["SecretList", "GET", "/secrets", "List secrets"],
  ["SecretCreate", "POST", "/secrets/create", "Create a secret"],
  ["SecretInspect", "GET", "/secrets/{id}", "Inspect a secret"],
  ["SecretDelete", "DELETE", "/secrets/{id}", "Delete a secret"],
  ["SecretUpdate", "POST", "/secrets/{id}/update", "Update a Secret"],
];
const configs: Row[] = [
  ["ConfigList", "GET", "/configs", "List configs"],
  ["ConfigCreate", "POST", "/configs/create", "Create a config"],
  ["ConfigInspect", "GET", "/configs/{id}", "Inspect a config"],
  ["ConfigDelete", "DELETE", "/configs/{id}", "Delete a config"],
  ["ConfigUpdate", "POST", "/configs/{id}/update", "Update a Config"],
];

function operation([id, method, path, summary]: Row): Operation {
  return {
    id,
    method,
    path,
    summary,
    status: "later",
    note: "answers as outside of a swarm",
    handle: refusals[id] ?? refuse,
  };
}

const refusals: Record<string, () => never> = {
  SwarmInit: refuseToJoin,
  SwarmJoin: refuseToJoin,
  SwarmLeave: () => {
    throw new BerthError("unavailable", "This node is not part of a swarm");
  },
};

function refuse(): never {
  throw new BerthError(
    "unavailable",
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
}

function refuseToJoin(): never {
  throw new BerthError("unsupported", "swarm mode is not served", {
    hint: "describe the application in a Compose file and use 'berth up'",
  });
}

/** Swarm mode: answers as a Docker that is in no swarm does, until the cluster serves them. */
export const swarmGroups: OperationGroup[] = Object.entries({
  Swarm: swarm,
  Node: nodes,
  Service: services,
  Task: tasks,
  Secret: secrets,
  Config: configs,
}).map(([tag, rows]) => ({ tag, operations: rows.map(operation) }));
