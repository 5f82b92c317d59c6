import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { operationTable } from "../src/docker/openapi/operation-table.ts";
import { operationGroups } from "../src/docker/operations.ts";

/** Writes docs/docker-api.md from the operations; a test says when that was forgotten. */
writeFileSync(join(import.meta.dirname, "../docs/docker-api.md"), operationTable(operationGroups));
