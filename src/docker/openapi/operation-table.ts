import { apiVersion, minimumApiVersion } from "../http/api-version.ts";
import type { Operation, OperationGroup } from "../http/operation.ts";

/** docs/docker-api.md: what is served of Docker's API, from the tables that serve it. */
export function operationTable(groups: OperationGroup[]): string {
  const all = groups.flatMap(({ operations }) => operations).filter(operation => !operation.extra);
  const count = (status: Operation["status"]) => all.filter(operation => operation.status === status).length;
  return `# Docker's Engine API

<!-- Made by scripts/docker-api-table.ts from src/docker/: do not edit. -->

\`berthd\` serves Docker's API on \`docker.sock\` in its run directory (\`/run/berth/docker.sock\` for the machine's own), so that whatever speaks to Docker
speaks to Berth:

    export DOCKER_HOST=unix:///run/berth/docker.sock
    docker run --rm -it busybox

Versions ${minimumApiVersion} to ${apiVersion} are accepted, with any \`/vX.Y/\` prefix or none. \`GET /openapi.json\` gives this list as an OpenAPI document.

- On a network: \`BERTH_DOCKER_LISTEN=address:port\` and \`BERTH_DOCKER_TLS=directory\` (with \`ca.pem\`, \`cert.pem\` and \`key.pem\`) in berthd's environment. Only
  clients with a certificate of that authority are let in; there is no way to serve it on a network without.
- \`docker build\`: the classic protocol reaches Berth's builder, with all of today's Dockerfile. Where buildx is installed set \`DOCKER_BUILDKIT=0\`.
- Testcontainers: its reaper (Ryuk) is served by berthd itself. No image is fetched for it and no privileged container runs.
- Fields that berthd does not know are accepted, as in Docker. Fields that ask for something that Berth does not do are refused by name (501).

Of Docker's ${all.length} operations ${count(undefined)} are served, ${count("refused")} refused with a reason, and ${count("later")} answer as a Docker that is in no swarm.

${groups.map(groupTable).join("\n")}`;
}

function groupTable({ tag, operations }: OperationGroup): string {
  const rows = operations.map(operation => {
    const { method, path, summary, status = "served", note = "", extra } = operation;
    return `| \`${method} ${path}\` | ${summary} | ${status}${extra ? " (not in the specification)" : ""} | ${note} |`;
  });
  return `## ${tag}

| Operation | What it does | Here | Notes |
|---|---|---|---|
${rows.join("\n")}
`;
}
