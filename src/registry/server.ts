import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { asBerthError, BerthError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { StoreKey } from "../image/content/store-key.ts";
import { mediaTypes } from "../model/image.ts";
import type { Access } from "./access.ts";
import { authorize, serveToken } from "./authorize.ts";
import { type Exchange, json } from "./exchange.ts";
import { manifestLimit_bytes } from "./manifest.ts";
import { isDigest, isRepository } from "./names.ts";
import { paginate } from "./paginate.ts";
import { parseByteRange, parseChunkStart } from "./ranges.ts";
import type { Registry } from "./registry.ts";
import { RegistryError } from "./registry-error.ts";
import { parseRoute, type Route } from "./route.ts";
import { rangeOf } from "./uploads.ts";

export interface RegistryServerOptions {
  registry: Registry;
  logger: Logger;
  /** Absent: everybody may do everything. */
  access?: Access;
  /** Of the content store, where an engine shares it: its pushes need not send what is there. */
  storeKey?: StoreKey;
  /** Refuses pushes and deletes. */
  readOnly?: boolean;
}

/** The distribution API over HTTP, not yet listening. */
export function createRegistryServer(options: RegistryServerOptions): Server {
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort(new BerthError("cancelled", "the client left")));
    const url = new URL(request.url ?? "/", "http://registry");
    handle({ request, response, url, signal: gone.signal, mayPull: () => true }, options).catch(thrown =>
      fail(request, response, thrown, options.logger),
    );
  });
  server.requestTimeout = 0;
  server.headersTimeout = 20_000;
  return server;
}

async function handle(exchange: Exchange, options: RegistryServerOptions): Promise<void> {
  const { request, response, url } = exchange;
  response.setHeader("Docker-Distribution-Api-Version", "registry/2.0");
  if (url.pathname === "/token" && options.access !== undefined) return serveToken(exchange, options.access);
  const route = parseRoute(decodeURIComponent(url.pathname));
  if (route === undefined)
    throw new RegistryError("UNSUPPORTED", `${url.pathname} is no endpoint of the distribution API`, { status: 404 });
  const writes = !["GET", "HEAD"].includes(request.method ?? "");
  if (writes && options.readOnly) throw new RegistryError("DENIED", "this registry is read only");
  const mayPull = options.access === undefined ? exchange.mayPull : authorize(exchange, route, options.access);
  await answer({ ...exchange, mayPull }, route, options);
}

type Handler<R extends Route> = (exchange: Exchange, route: R, options: RegistryServerOptions) => Promise<void>;
type Of<K extends Route["kind"]> = Extract<Route, { kind: K }>;

const handlers: { [K in Route["kind"]]: Partial<Record<string, Handler<Of<K>>>> } = {
  base: { GET: async ({ response }) => json(response, 200, {}) },
  catalog: { GET: getCatalog },
  tags: { GET: getTags },
  referrers: { GET: getReferrers },
  blob: { GET: getBlob, DELETE: deleteBlob },
  manifest: { GET: getManifest, PUT: putManifest, DELETE: deleteManifest },
  uploads: { POST: startUpload },
  upload: { GET: getUpload, PATCH: patchUpload, PUT: putUpload, DELETE: deleteUpload },
};

async function answer(exchange: Exchange, route: Route, options: RegistryServerOptions): Promise<void> {
  const method = exchange.request.method === "HEAD" ? "GET" : (exchange.request.method ?? "");
  const handler = handlers[route.kind][method] as Handler<Route> | undefined;
  if (handler === undefined) throw new RegistryError("UNSUPPORTED", `${exchange.request.method} is not supported here`);
  await handler(exchange, route, options);
}

async function getCatalog(
  { response, url }: Exchange,
  _route: Of<"catalog">,
  { registry }: RegistryServerOptions,
): Promise<void> {
  const page = paginate(await registry.repositories.list(), url);
  if (page.link) response.setHeader("Link", page.link);
  json(response, 200, { repositories: page.items });
}

async function getTags(
  { response, url }: Exchange,
  { repository }: Of<"tags">,
  { registry }: RegistryServerOptions,
): Promise<void> {
  if (!(await registry.repositories.exists(repository)))
    throw new RegistryError("NAME_UNKNOWN", `there is no repository ${repository}`);
  const page = paginate(await registry.repositories.tags(repository), url);
  if (page.link) response.setHeader("Link", page.link);
  json(response, 200, { name: repository, tags: page.items });
}

async function getReferrers(
  { response, url }: Exchange,
  { repository, digest }: Of<"referrers">,
  { registry }: RegistryServerOptions,
): Promise<void> {
  const type = url.searchParams.get("artifactType");
  const all = await registry.referrers(repository, digest);
  if (type !== null) response.setHeader("OCI-Filters-Applied", "artifactType");
  response.setHeader("Content-Type", mediaTypes.ociIndex);
  const manifests = all.filter(descriptor => type === null || descriptor.artifactType === type);
  response.end(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
}

async function getBlob(
  { request, response, signal }: Exchange,
  { repository, digest }: Of<"blob">,
  { registry, readOnly }: RegistryServerOptions,
): Promise<void> {
  const info = await registry.blob(repository, digest, { signal, touch: request.method === "HEAD" && !readOnly });
  const range = parseByteRange(request.headers.range, info.size);
  response.setHeader("Docker-Content-Digest", digest);
  response.setHeader("Content-Type", "application/octet-stream");
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("ETag", `"${digest}"`);
  if (range !== undefined) {
    response.statusCode = 206;
    response.setHeader("Content-Range", `bytes ${range.start}-${range.end - 1}/${info.size}`);
  }
  response.setHeader("Content-Length", range === undefined ? info.size : range.end - range.start);
  if (request.method === "HEAD") return void response.end();
  await pipeline(await registry.open(digest, range, { signal }), response);
}

async function deleteBlob(
  { response }: Exchange,
  { repository, digest }: Of<"blob">,
  { registry }: RegistryServerOptions,
): Promise<void> {
  await registry.deleteBlob(repository, digest);
  response.writeHead(202).end();
}

async function getManifest(
  { request, response, signal }: Exchange,
  { repository, reference }: Of<"manifest">,
  { registry }: RegistryServerOptions,
): Promise<void> {
  const { digest, record, data } = await registry.manifest(repository, reference, { signal });
  response.setHeader("Content-Type", record.mediaType);
  response.setHeader("Docker-Content-Digest", digest);
  response.setHeader("ETag", `"${digest}"`);
  response.setHeader("Content-Length", data.length);
  response.end(request.method === "HEAD" ? undefined : data);
}

async function putManifest(
  { request, response, signal }: Exchange,
  { repository, reference }: Of<"manifest">,
  { registry }: RegistryServerOptions,
): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > manifestLimit_bytes)
      throw new RegistryError("SIZE_INVALID", `a manifest may have ${manifestLimit_bytes} bytes at most`, {
        status: 413,
      });
    chunks.push(chunk);
  }
  const stored = await registry.putManifest(
    repository,
    reference,
    Buffer.concat(chunks),
    String(request.headers["content-type"] ?? ""),
    { signal },
  );
  if (stored.subject !== undefined) response.setHeader("OCI-Subject", stored.subject);
  created(response, `/v2/${repository}/manifests/${stored.digest}`, stored.digest);
}

async function deleteManifest(
  { response }: Exchange,
  { repository, reference }: Of<"manifest">,
  { registry }: RegistryServerOptions,
): Promise<void> {
  await registry.deleteManifest(repository, reference);
  response.writeHead(202).end();
}

async function startUpload(
  { request, response, url, signal, mayPull }: Exchange,
  { repository }: Of<"uploads">,
  { registry, storeKey }: RegistryServerOptions,
): Promise<void> {
  const mount = url.searchParams.get("mount");
  const from = url.searchParams.get("from");
  const mountable = mount !== null && isDigest(mount) && from !== null && isRepository(from) && mayPull(from);
  if (mountable && (await registry.mount(repository, from, mount))) {
    return created(response, `/v2/${repository}/blobs/${mount}`, mount);
  }
  const id = await registry.uploads.start(repository);
  const digest = url.searchParams.get("digest");
  if (digest !== null) {
    // Monolithic in one request (end-4b).
    await registry.finishUpload(repository, id, request, undefined, checkedDigest(digest), { signal });
    return created(response, `/v2/${repository}/blobs/${digest}`, digest);
  }
  if (storeKey !== undefined) response.setHeader("Berth-Store", storeKey.id);
  uploadState(response, 202, repository, id, 0);
}

async function getUpload(
  { response, signal }: Exchange,
  { repository, id }: Of<"upload">,
  { registry }: RegistryServerOptions,
): Promise<void> {
  uploadState(response, 204, repository, id, await registry.uploads.offset(repository, id, { signal }));
}

async function patchUpload(
  { request, response }: Exchange,
  { repository, id }: Of<"upload">,
  { registry }: RegistryServerOptions,
): Promise<void> {
  // No signal: what arrived before the client vanished is kept, for it to go on from.
  const offset = await registry.uploads.append(
    repository,
    id,
    request,
    parseChunkStart(request.headers["content-range"]),
    {},
  );
  uploadState(response, 202, repository, id, offset);
}

async function putUpload(
  { request, response, url }: Exchange,
  { repository, id }: Of<"upload">,
  { registry, storeKey }: RegistryServerOptions,
): Promise<void> {
  const digest = checkedDigest(url.searchParams.get("digest") ?? "");
  const proof = request.headers["berth-store-proof"];
  if (proof !== undefined) {
    const held = storeKey?.verify(id, digest, String(proof)) && (await registry.adopt(repository, id, digest));
    if (held) return created(response, `/v2/${repository}/blobs/${digest}`, digest);
    throw new RegistryError("BLOB_UNKNOWN", `blob ${digest} is not in this registry's store`);
  }
  await registry.finishUpload(repository, id, request, parseChunkStart(request.headers["content-range"]), digest, {});
  created(response, `/v2/${repository}/blobs/${digest}`, digest);
}

async function deleteUpload(
  { response }: Exchange,
  { repository, id }: Of<"upload">,
  { registry }: RegistryServerOptions,
): Promise<void> {
  await registry.uploads.cancel(repository, id);
  response.writeHead(204).end();
}

function checkedDigest(text: string): string {
  if (!isDigest(text)) throw new RegistryError("DIGEST_INVALID", `digest=${text} is not a sha256 digest`);
  return text;
}

function uploadState(response: ServerResponse, status: number, repository: string, id: string, offset: number): void {
  response.setHeader("Location", `/v2/${repository}/blobs/uploads/${id}`);
  response.setHeader("Range", rangeOf(offset));
  response.setHeader("Docker-Upload-UUID", id);
  response.setHeader("Content-Length", 0);
  response.writeHead(status).end();
}

function created(response: ServerResponse, location: string, digest: string): void {
  response.setHeader("Location", location);
  response.setHeader("Docker-Content-Digest", digest);
  response.setHeader("Content-Length", 0);
  response.writeHead(201).end();
}

function fail(request: IncomingMessage, response: ServerResponse, thrown: unknown, logger: Logger): void {
  const error = thrown instanceof RegistryError ? thrown : translate(thrown);
  logger.log(error.status >= 500 ? "error" : "debug", "registry request failed", {
    method: request.method,
    url: request.url,
    error: error.message,
  });
  if (response.destroyed) return;
  if (response.headersSent) return void response.destroy();
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
  // The rest of a body that was refused is not read: the connection cannot be used again.
  if (!request.complete) response.setHeader("Connection", "close");
  response.removeHeader("Content-Length");
  json(response, error.status, error);
}

function translate(thrown: unknown): RegistryError {
  if (thrown instanceof URIError) return new RegistryError("NAME_INVALID", "the path is not valid percent-encoding");
  const error = asBerthError(thrown);
  if (error.code === "unauthorized") return new RegistryError("UNAUTHORIZED", error.message);
  if (error.code === "invalid") return new RegistryError("UNSUPPORTED", error.message, { status: 400 });
  if (error.code === "exhausted") return new RegistryError("UNAVAILABLE", error.message, { status: 507 });
  return new RegistryError("UNAVAILABLE", error.message, { status: error.code === "unavailable" ? 503 : 500 });
}
