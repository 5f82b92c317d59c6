import { buildOperations, refuseBuildKit } from "./build/build-operations.ts";
import { containerFileOperations } from "./containers/file-operations.ts";
import { containerLifeOperations } from "./containers/life-operations.ts";
import { containerLookOperations } from "./containers/list-operations.ts";
import { containerStreamOperations } from "./containers/stream-operations.ts";
import { execOperations } from "./exec/exec-operations.ts";
import type { Operation, OperationGroup } from "./http/operation.ts";
import { distributionOperations, imageOperations } from "./images/image-operations.ts";
import { imageTransferOperations } from "./images/transfer-operations.ts";
import { networkOperations } from "./networks/network-operations.ts";
import { openApiDocument } from "./openapi/openapi-document.ts";
import { pluginOperations } from "./plugins/plugin-operations.ts";
import { swarmGroups } from "./swarm/swarm-operations.ts";
import { systemOperations } from "./system/system-operations.ts";
import { volumeOperations } from "./volumes/volume-operations.ts";

/** All of Docker's API, in its specification's groups. */
export const operationGroups: OperationGroup[] = [
  {
    tag: "Container",
    operations: [
      ...containerLookOperations,
      ...containerLifeOperations,
      ...containerStreamOperations,
      ...containerFileOperations,
    ],
  },
  { tag: "Image", operations: [...imageOperations, ...imageTransferOperations, ...buildOperations] },
  { tag: "Network", operations: networkOperations },
  { tag: "Volume", operations: volumeOperations },
  { tag: "Exec", operations: execOperations },
  { tag: "System", operations: systemOperations },
  { tag: "Distribution", operations: distributionOperations },
  { tag: "Plugin", operations: pluginOperations },
  {
    tag: "Session",
    operations: [
      {
        ...{ id: "Session", method: "POST", path: "/session", summary: "Initialize interactive session" },
        ...{ status: "refused", note: "BuildKit's: clients set DOCKER_BUILDKIT=0", handle: refuseBuildKit },
      },
    ],
  },
  ...swarmGroups,
];

/** What the server routes: the above and the document that describes it. */
export function allOperations(): Operation[] {
  return [
    ...operationGroups.flatMap(({ operations }) => operations),
    {
      id: "OpenApi",
      method: "GET",
      path: "/openapi.json",
      summary: "The OpenAPI document of what is served",
      extra: true,
      handle: (_, exchange) => exchange.json(openApiDocument(operationGroups)),
    },
  ];
}
