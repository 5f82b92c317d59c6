import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Router } from "./http/router.ts";
import { openApiDocument } from "./openapi/openapi-document.ts";
import { operationTable } from "./openapi/operation-table.ts";
import { allOperations, operationGroups } from "./operations.ts";

const ofDocker = operationGroups.flatMap(({ operations }) => operations).filter(operation => !operation.extra);

test("every one of the 107 operations of Docker's specification is there, once", () => {
  expect(ofDocker).toHaveLength(107);
  expect(new Set(ofDocker.map(({ method, path }) => `${method} ${path}`)).size).toBe(107);
  expect(new Set(ofDocker.map(({ id }) => id)).size).toBe(107);
});

test("docs/docker-api.md says what is served", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/docker-api.md"), "utf8");
  expect(page, "run: node scripts/docker-api-table.ts").toBe(operationTable(operationGroups));
});

test("the OpenAPI document has every operation with its path parameters", () => {
  const { paths } = openApiDocument(operationGroups);
  expect(paths["/containers/{id}/json"]?.["get"]).toMatchObject({
    operationId: "ContainerInspect",
    parameters: [
      { name: "id", in: "path", required: true },
      { name: "size", in: "query" },
    ],
  });
});

const router = new Router(allOperations());

test.each([
  ["GET", "/v1.41/containers/json?all=1", "ContainerList", {}],
  ["GET", "/containers/abc/json", "ContainerInspect", { id: "abc" }],
  ["GET", "/v1.24/images/localhost:5000/team/app:1/json", "ImageInspect", { name: "localhost:5000/team/app:1" }],
  ["POST", "/v1.50/images/team%2Fapp/tag?repo=x", "ImageTag", { name: "team/app" }],
  ["GET", "/images/get?names=a", "ImageGetAll", {}],
  ["DELETE", "/images/a/b:c", "ImageDelete", { name: "a/b:c" }],
  ["GET", "/distribution/a/b/json", "DistributionInspect", { name: "a/b" }],
])("%s %s is %s", (method, url, id, params) => {
  const found = router.find(method, url);
  expect([found.operation.id, found.params]).toEqual([id, params]);
});

test("a version that is not spoken is refused in the words that clients know", () => {
  expect(() => router.find("GET", "/v1.99/info")).toThrow(
    "client version 1.99 is too new. Maximum supported API version is 1.50",
  );
  expect(() => router.find("GET", "/v1.12/info")).toThrow("is too old. Minimum supported API version is 1.24");
});
