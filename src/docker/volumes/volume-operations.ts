import { BerthError } from "../../base/errors.ts";
import type { Volume } from "../../model/volume.ts";
import type { DockerContext } from "../docker-context.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Operation } from "../http/operation.ts";

export const volumeOperations: Operation[] = [
  {
    id: "VolumeList",
    method: "GET",
    path: "/volumes",
    summary: "List volumes",
    query: ["filters"],
    handle: async ({ engine }, exchange) => {
      const volumes = await engine.volumes.list({ filters: exchange.query.filters() });
      exchange.json({ Volumes: volumes.map(volumeOf), Warnings: null });
    },
  },
  {
    id: "VolumeCreate",
    method: "POST",
    path: "/volumes/create",
    summary: "Create a volume",
    handle: createVolume,
  },
  {
    id: "VolumeInspect",
    method: "GET",
    path: "/volumes/{name}",
    summary: "Inspect a volume",
    handle: async ({ engine }, exchange) => {
      exchange.json(volumeOf(await engine.volumes.get(exchange.param("name"))));
    },
  },
  {
    id: "VolumeUpdate",
    method: "PUT",
    path: "/volumes/{name}",
    summary: "Update a volume. Valid only for Swarm cluster volumes",
    status: "refused",
    note: "only cluster volumes of swarm mode can be updated",
    handle: () => {
      throw new BerthError("unavailable", "volume update only valid for cluster volumes, but swarm is unavailable");
    },
  },
  {
    id: "VolumeDelete",
    method: "DELETE",
    path: "/volumes/{name}",
    summary: "Remove a volume",
    query: ["force"],
    handle: async ({ engine }, exchange) => {
      await engine.volumes.remove(exchange.param("name"), { force: exchange.query.flag("force") });
      exchange.empty();
    },
  },
  {
    id: "VolumePrune",
    method: "POST",
    path: "/volumes/prune",
    summary: "Delete unused volumes",
    query: ["filters"],
    handle: pruneVolumes,
  },
];

async function createVolume({ engine }: DockerContext, exchange: Exchange): Promise<void> {
  const body = await exchange.body();
  if (body.asksFor("ClusterVolumeSpec")) {
    throw new BerthError("unsupported", "ClusterVolumeSpec: cluster volumes of swarm mode are not served");
  }
  const volume = await engine.volumes.create(
    {
      name: body.text("Name") ?? "",
      driver: body.text("Driver") || "local",
      options: body.map("DriverOpts") ?? {},
      labels: body.map("Labels") ?? {},
    },
    exchange,
  );
  exchange.json(volumeOf(volume), 201);
}

/** Up to 1.41 named volumes went too. */
async function pruneVolumes({ engine }: DockerContext, exchange: Exchange): Promise<void> {
  const filters = exchange.query.filters();
  if (exchange.version < 42) filters["all"] = ["true"];
  const { removed, reclaimed_bytes } = await engine.volumes.prune({ filters, signal: exchange.signal });
  exchange.json({ VolumesDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: reclaimed_bytes });
}

function volumeOf(volume: Volume) {
  return {
    CreatedAt: volume.createdAt,
    Driver: volume.driver,
    Labels: volume.labels,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: Object.keys(volume.options).length > 0 ? volume.options : null,
    Scope: "local",
  };
}
