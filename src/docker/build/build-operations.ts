import { BerthError } from "../../base/errors.ts";
import { parseDuration_ms } from "../../model/duration.ts";
import type { DockerContext } from "../docker-context.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Operation } from "../http/operation.ts";
import { BuildMessages } from "./build-messages.ts";
import { toBuildInput } from "./to-build-input.ts";

export const buildKitMissing = "BuildKit's protocol is not served";
export const buildKitHint =
  "set DOCKER_BUILDKIT=0: the classic protocol reaches the same builder, with all of today's Dockerfile";

export const buildOperations: Operation[] = [
  {
    id: "ImageBuild",
    method: "POST",
    path: "/build",
    summary: "Build an image",
    query: [
      ...["dockerfile", "t", "extrahosts", "remote", "q", "nocache", "cachefrom", "pull", "rm", "forcerm", "memory"],
      ...["memswap", "cpushares", "cpusetcpus", "cpuperiod", "cpuquota", "buildargs", "shmsize", "labels", "ulimits"],
      ...["networkmode", "platform", "target", "cgroupparent", "version"],
    ],
    note: "the classic protocol (version=1); squash and securityopt are refused",
    handle: build,
  },
  {
    id: "BuildPrune",
    method: "POST",
    path: "/build/prune",
    summary: "Delete builder cache",
    query: ["keep-storage", "reserved-space", "all", "filters"],
    handle: pruneCache,
  },
  {
    id: "BuildCancel",
    method: "POST",
    path: "/build/cancel",
    summary: "Cancel a build",
    extra: true,
    note: "a build ends when its client leaves: there is nothing to cancel by id",
    handle: (_, exchange) => exchange.empty(),
  },
  {
    id: "Grpc",
    method: "POST",
    path: "/grpc",
    summary: "BuildKit",
    status: "refused",
    extra: true,
    handle: refuseBuildKit,
  },
];

export function refuseBuildKit(): never {
  throw new BerthError("unsupported", buildKitMissing, { hint: buildKitHint });
}

/** Leaving cancels the build. */
async function build({ builder }: DockerContext, exchange: Exchange): Promise<void> {
  if (exchange.query.text("version") === "2") refuseBuildKit();
  const input = toBuildInput(exchange);
  const messages = new BuildMessages(exchange.lines(), exchange.query.flag("q"));
  try {
    const result = await builder.build({ ...input, onProgress: messages.show, signal: exchange.signal });
    await messages.done(result, input.tags ?? []);
  } catch (thrown) {
    await messages.fail(thrown);
    exchange.discardBody();
  }
}

async function pruneCache({ builder, clock }: DockerContext, exchange: Exchange): Promise<void> {
  const { query, signal } = exchange;
  const filters = query.filters();
  const unknown = Object.keys(filters).find(key => !["until", "unused-for"].includes(key));
  if (unknown) {
    throw new BerthError("unsupported", `the build cache has no filter ${JSON.stringify(unknown)}`, {
      hint: "use until or unused-for with a duration such as 24h",
    });
  }
  const age = filters["until"]?.[0] ?? filters["unused-for"]?.[0];
  const age_ms = age === undefined ? undefined : parseDuration_ms(age);
  if (age !== undefined && age_ms === undefined) throw new BerthError("invalid", `filter until=${age} is no duration`);
  const { removed, reclaimed_bytes } = await builder.pruneCache({
    unusedSince_ms: age_ms === undefined ? undefined : clock.now_ms() - age_ms,
    keep_bytes: query.number("reserved-space") ?? query.number("keep-storage"),
    signal,
  });
  exchange.json({ CachesDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: reclaimed_bytes });
}
