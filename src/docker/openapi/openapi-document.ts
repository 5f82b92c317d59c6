import { apiVersion } from "../http/api-version.ts";
import type { Operation, OperationGroup } from "../http/operation.ts";

/** OpenAPI 3.1 of the operations as they are served; shapes of bodies are Docker's own, of the version named. */
export function openApiDocument(groups: OperationGroup[]) {
  const paths: Record<string, Record<string, object>> = {};
  for (const { tag, operations } of groups) {
    for (const operation of operations) {
      (paths[operation.path] ??= {})[operation.method.toLowerCase()] = operationObject(tag, operation);
    }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Docker Engine API as Berth serves it",
      version: apiVersion,
      description: "Any /vX.Y/ prefix from 1.24 on is accepted before each path.",
    },
    externalDocs: { url: `https://docs.docker.com/reference/api/engine/version/v${apiVersion}/` },
    tags: groups.map(({ tag }) => ({ name: tag })),
    paths,
    components: {
      schemas: {
        ErrorResponse: { type: "object", required: ["message"], properties: { message: { type: "string" } } },
      },
    },
  };
}

function operationObject(tag: string, operation: Operation) {
  const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter(name!, "path"));
  const inQuery = (operation.query ?? []).map(name => parameter(name, "query"));
  return {
    operationId: operation.id,
    tags: [tag],
    summary: operation.summary,
    ...(operation.note ? { description: operation.note } : {}),
    ...(operation.status ? { "x-berth-status": operation.status } : {}),
    parameters: [...inPath, ...inQuery],
    responses: {
      ...(operation.status ? {} : { "2XX": { description: "As in Docker's specification" } }),
      default: {
        description: "What went wrong",
        content: { "application/json": { schema: { $ref: "#/components/schemas/ErrorResponse" } } },
      },
    },
  };
}

function parameter(name: string, place: "path" | "query") {
  return { name, in: place, required: place === "path", schema: { type: "string" } };
}
