import { BerthError } from "../../base/errors.ts";
import type { Builder } from "../../ports/build.ts";
import type { DiskUsage } from "../../ports/engine.ts";
import { summaryOf } from "../containers/container-summary.ts";
import type { DockerContext } from "../docker-context.ts";
import type { Exchange } from "../http/exchange.ts";
import { imageSummaryOf } from "../images/image-summary.ts";

const types = ["container", "image", "volume", "build-cache"];

/** GET /system/df; `type` (several) leaves the rest out. */
export async function diskUsage({ engine, builder, clock }: DockerContext, exchange: Exchange) {
  const asked = exchange.query.all("type");
  const unknown = asked.find(type => !types.includes(type));
  if (unknown) throw new BerthError("invalid", `unknown object type: ${unknown}`, { hint: types.join(", ") });
  const wants = (type: string) => asked.length === 0 || asked.includes(type);
  const usage = await engine.system.diskUsage(exchange);
  const cache = wants("build-cache") ? await builder.cacheUsage(exchange) : [];
  return {
    ...(wants("image")
      ? { LayersSize: usage.layers_bytes, Images: usage.images.map(entry => imageLine(entry, exchange.version)) }
      : {}),
    ...(wants("container")
      ? { Containers: usage.containers.map(entry => summaryOf(entry.summary, clock.now_ms(), entry)) }
      : {}),
    ...(wants("volume") ? { Volumes: usage.volumes.map(volumeLine) } : {}),
    ...(wants("build-cache") ? { BuildCache: cache.map(cacheLine), BuilderSize: 0 } : {}),
  };
}

function imageLine({ image, shared_bytes, containers }: DiskUsage["images"][number], version: number) {
  return { ...imageSummaryOf(image, version), SharedSize: shared_bytes, Containers: containers };
}

function volumeLine(volume: DiskUsage["volumes"][number]) {
  return {
    Name: volume.name,
    Driver: volume.driver,
    Mountpoint: volume.mountpoint,
    CreatedAt: volume.createdAt,
    Labels: volume.labels,
    Options: null,
    Scope: "local",
    UsageData: { Size: volume.size_bytes, RefCount: volume.references },
  };
}

function cacheLine(record: Awaited<ReturnType<Builder["cacheUsage"]>>[number]) {
  return {
    ID: record.id,
    Parents: null,
    Type: record.kind === "mount" ? "exec.cachemount" : "regular",
    Description: record.description,
    InUse: record.inUse,
    Shared: false,
    Size: record.size_bytes,
    CreatedAt: new Date(record.createdAt_ms).toISOString(),
    LastUsedAt: new Date(record.lastUsedAt_ms).toISOString(),
    UsageCount: 1,
  };
}
