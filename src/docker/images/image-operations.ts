import { BerthError } from "../../base/errors.ts";
import { tagTest } from "../../engine/images/image-filters.ts";
import { familiarName } from "../../image/reference.ts";
import type { DockerContext } from "../docker-context.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Operation } from "../http/operation.ts";
import { imageInspectOf, imageSummaryOf } from "./image-summary.ts";
import { referenceFrom } from "./reference-from.ts";
import { requestAuth } from "./registry-auth.ts";

/** Images on this host, and what a registry says about one. */
export const imageOperations: Operation[] = [
  {
    id: "ImageList",
    method: "GET",
    path: "/images/json",
    summary: "List Images",
    query: ["all", "filters", "shared-size", "digests"],
    handle: listImages,
  },
  {
    id: "ImageInspect",
    method: "GET",
    path: "/images/{name}/json",
    summary: "Inspect an image",
    handle: async ({ engine }, exchange) => {
      exchange.json(imageInspectOf(await engine.images.get(exchange.param("name"), exchange), exchange.version));
    },
  },
  {
    id: "ImageHistory",
    method: "GET",
    path: "/images/{name}/history",
    summary: "Get the history of an image",
    handle: imageHistory,
  },
  {
    id: "ImageTag",
    method: "POST",
    path: "/images/{name}/tag",
    summary: "Tag an image",
    query: ["repo", "tag"],
    handle: async ({ engine }, exchange) => {
      const target = referenceFrom(exchange.query.required("repo"), exchange.query.text("tag"));
      await engine.images.tag(exchange.param("name"), target, exchange);
      exchange.empty(201);
    },
  },
  {
    id: "ImageDelete",
    method: "DELETE",
    path: "/images/{name}",
    summary: "Remove an image",
    query: ["force", "noprune"],
    handle: async ({ engine }, exchange) => {
      const force = exchange.query.flag("force");
      const removed = await engine.images.remove(exchange.param("name"), { force });
      exchange.json(removed.map(removalOf));
    },
  },
  {
    id: "ImagePrune",
    method: "POST",
    path: "/images/prune",
    summary: "Delete unused images",
    query: ["filters"],
    handle: async ({ engine }, exchange) => {
      const pruned = await engine.images.prune({ filters: exchange.query.filters(), signal: exchange.signal });
      const deleted = [
        ...pruned.untagged.map(untagged => removalOf({ untagged })),
        ...pruned.deleted.map(id => removalOf({ deleted: id })),
      ];
      exchange.json({ ImagesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: pruned.reclaimed_bytes });
    },
  },
  {
    id: "ImageSearch",
    method: "GET",
    path: "/images/search",
    summary: "Search images",
    status: "refused",
    note: "searching is a service of Docker Hub's website, not of registries",
    handle: () => {
      throw new BerthError("unsupported", "images/search: searching Docker Hub is not served", {
        hint: "a registry lists what it has at /v2/_catalog",
      });
    },
  },
  {
    id: "ImageCommit",
    method: "POST",
    path: "/commit",
    summary: "Create a new image from a container",
    query: ["container", "repo", "tag", "comment", "author", "pause", "changes"],
    handle: commitImage,
  },
];

export const distributionOperations: Operation[] = [
  {
    id: "DistributionInspect",
    method: "GET",
    path: "/distribution/{name}/json",
    summary: "Get image information from the registry",
    handle: async ({ engine }, exchange) => {
      const { signal } = exchange;
      const auth = requestAuth(exchange);
      const { descriptor, platforms } = await engine.images.resolveRemote(exchange.param("name"), { auth, signal });
      exchange.json({ Descriptor: descriptor, Platforms: platforms });
    },
  },
];

async function listImages({ engine }: DockerContext, exchange: Exchange): Promise<void> {
  const { query } = exchange;
  const filters = query.filters();
  // Before 1.25 there was a parameter of its own.
  const only = query.text("filter");
  if (only) filters["reference"] = [...(filters["reference"] ?? []), only];
  const images = await engine.images.list({ filters, signal: exchange.signal });
  const sorted = images.toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  const asked = (filters["reference"] ?? []).map(tagTest);
  // Of an image with several names only those are shown that were asked for.
  const shown = asked.length === 0 ? sorted : sorted.map(image => ({ ...image, tags: image.tags.filter(isAsked) }));
  exchange.json(shown.map(image => imageSummaryOf(image, exchange.version)));

  function isAsked(tag: string): boolean {
    return asked.some(test => test(tag));
  }
}

async function imageHistory({ engine }: DockerContext, exchange: Exchange): Promise<void> {
  const lines = await engine.images.history(exchange.param("name"), exchange);
  exchange.json(
    lines.map(line => ({
      Id: line.id,
      Created: Math.max(0, Math.floor(Date.parse(line.created ?? "") / 1000)) || 0,
      CreatedBy: line.created_by ?? "",
      Tags: line.tags.length > 0 ? line.tags.map(familiarName) : null,
      Size: line.size_bytes,
      Comment: line.comment ?? "",
    })),
  );
}

function removalOf({ untagged, deleted }: { untagged?: string; deleted?: string }) {
  return deleted === undefined ? { Untagged: familiar(untagged ?? "") } : { Deleted: deleted };
}

const familiar = (name: string) => (/^(sha256:)?[0-9a-f]{64}$/.test(name) ? name : familiarName(name));

async function commitImage({ engine }: DockerContext, exchange: Exchange): Promise<void> {
  const { query, signal } = exchange;
  const repository = query.text("repo");
  const body = await exchange.body();
  const image = await engine.containers.commit(query.required("container"), {
    tag: repository && referenceFrom(repository, query.text("tag")),
    message: query.text("comment"),
    author: query.text("author"),
    pause: query.flag("pause", true),
    changes: query.all("changes").flatMap(text => text.split("\n").filter(Boolean)),
    config: commitConfig(body),
    signal,
  });
  exchange.json({ Id: image.id }, 201);
}

type CommitConfig = NonNullable<NonNullable<Parameters<DockerContext["engine"]["containers"]["commit"]>[1]>["config"]>;

/** Only what the client says; the rest is the container's. */
function commitConfig(body: Awaited<ReturnType<Exchange["body"]>>): CommitConfig {
  const given: CommitConfig = {
    User: body.text("User") || undefined,
    Env: body.texts("Env"),
    Cmd: body.texts("Cmd"),
    Entrypoint: body.texts("Entrypoint"),
    WorkingDir: body.text("WorkingDir") || undefined,
    Labels: body.map("Labels"),
    StopSignal: body.text("StopSignal") || undefined,
  };
  const said = Object.entries(given).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value));
  return Object.fromEntries(said);
}
