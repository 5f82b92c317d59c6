import { Readable } from "node:stream";
import { BerthError } from "../../base/errors.ts";
import { retry } from "../../base/retry.ts";
import type { Descriptor } from "../../model/image.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { TransferOptions } from "../../ports/images.ts";
import type { StoreKey } from "../content/store-key.ts";
import type { ImageParts } from "../image-parts.ts";
import { retryPolicy } from "./fetch-blob.ts";
import type { RegistryClients } from "./registry-clients.ts";
import { pullScope, pushScope, type RegistrySession } from "./registry-session.ts";
import { shortDigest } from "./resolve.ts";
import { discard, type HttpResponse } from "./transport.ts";

const report_bytes = 512 * 1024;
/** Answers of registries that take a blob only as PATCH and PUT. */
const needsChunks = new Set([400, 404, 405, 411, 415, 416, 501]);

interface PushContext {
  parts: Pick<ImageParts, "content" | "storeKey">;
  clients: RegistryClients;
  session: RegistrySession;
  repository: string;
}

/** Uploads a blob unless it is there; one that lies in another repository of the registry is mounted instead (`sources`). */
export async function pushBlob(
  context: PushContext,
  blob: Descriptor,
  sources: string[],
  options: TransferOptions,
): Promise<void> {
  const id = shortDigest(blob);
  const say = (status: string, current?: number) =>
    options.onProgress?.(current === undefined ? { id, status } : { id, status, current, total: blob.size });
  const { clock, random } = context.clients;
  const onRetry = (_: unknown, __: number, delay_ms: number) =>
    say(`Retrying in ${Math.ceil(delay_ms / 1000)} seconds`);
  await retry(retryPolicy, { clock, random, signal: options.signal, onRetry }, async () => {
    if (await isThere(context, blob, options)) return say("Layer already exists");
    for (const source of sources) {
      const opened = await openUpload(context, blob, source, options);
      if (opened === undefined) return say(`Mounted from ${source}`);
      // Not mounted: what the registry opened instead is used right away.
      await upload(context, blob, opened, say, options);
      return say("Pushed");
    }
    const opened = await openUpload(context, blob, undefined, options);
    if (opened === undefined) return say("Layer already exists");
    await upload(context, blob, opened, say, options);
    return say("Pushed");
  });
}

/** end-2. */
async function isThere(
  { session, repository }: PushContext,
  blob: Descriptor,
  { signal }: CallOptions,
): Promise<boolean> {
  const path = `/v2/${repository}/blobs/${blob.digest}`;
  const response = await session.request({ method: "HEAD", path, scopes: [pushScope(repository)], signal });
  await session.expect(
    response,
    [200, 404],
    `looking for blob ${blob.digest} in ${session.endpoint.domain}/${repository}`,
  );
  discard(response);
  return response.status === 200;
}

/** end-4a and end-11. Undefined when the blob was mounted, or lies in the store that the registry shares with this host; else where to upload to. */
async function openUpload(
  context: PushContext,
  blob: Descriptor,
  source: string | undefined,
  { signal }: CallOptions,
): Promise<string | undefined> {
  const { session, repository } = context;
  const query = source === undefined ? "" : `?${new URLSearchParams({ mount: blob.digest, from: source })}`;
  const response = await session.request({
    method: "POST",
    path: `/v2/${repository}/blobs/uploads/${query}`,
    headers: { "content-length": "0" },
    scopes: source === undefined ? [pushScope(repository)] : [pushScope(repository), pullScope(source)],
    signal,
  });
  await session.expect(
    response,
    [201, 202],
    `starting to upload blob ${blob.digest} to ${session.endpoint.domain}/${repository}`,
  );
  discard(response);
  if (response.status === 201) return undefined;
  const location = locationOf(response);
  const key = context.parts.storeKey;
  const isShared = key !== undefined && response.headers["berth-store"] === key.id;
  return isShared && (await claim(context, blob, location, key, { signal })) ? undefined : location;
}

/** Ends an upload without its bytes, which the registry has where this host has them. A registry that finds it otherwise leaves the upload open. */
async function claim(
  { session, repository }: PushContext,
  blob: Descriptor,
  location: string,
  key: StoreKey,
  options: CallOptions,
): Promise<boolean> {
  const uploadId = new URL(location).pathname.split("/").at(-1) ?? "";
  const response = await session.request({
    method: "PUT",
    path: withDigest(location, blob.digest),
    headers: { "content-length": "0", "berth-store-proof": key.proof(uploadId, blob.digest) },
    scopes: [pushScope(repository)],
    ...options,
  });
  discard(response);
  return response.status === 201;
}

type Say = (status: string, current?: number) => void;

/** end-6: all in one PUT, which saves a round trip; by PATCH and PUT (end-5) for registries that know no other way. */
async function upload(
  context: PushContext,
  blob: Descriptor,
  location: string,
  say: Say,
  options: CallOptions,
): Promise<void> {
  const { session, repository } = context;
  const attempted = `uploading blob ${blob.digest} to ${session.endpoint.domain}/${repository}`;
  const whole = await sendBlob(context, blob, "PUT", withDigest(location, blob.digest), say, options);
  if (!needsChunks.has(whole.status)) {
    await session.expect(whole, [201, 202, 204], attempted);
    return discard(whole);
  }
  discard(whole);
  const again = await openUpload(context, blob, undefined, options);
  if (again === undefined) return;
  const patched = await sendBlob(context, blob, "PATCH", again, say, options);
  await session.expect(patched, [202, 204], attempted);
  discard(patched);
  const url = withDigest(locationOf(patched), blob.digest);
  const scopes = [pushScope(repository)];
  const closed = await session.request({
    method: "PUT",
    path: url,
    headers: { "content-length": "0" },
    scopes,
    ...options,
  });
  await session.expect(closed, [201, 202, 204], attempted);
  discard(closed);
}

/** The token was fetched by the requests before, so that the stream is read only once. */
async function sendBlob(
  { parts, session, repository }: PushContext,
  blob: Descriptor,
  method: "PUT" | "PATCH",
  path: string,
  say: Say,
  { signal }: CallOptions,
): Promise<HttpResponse> {
  const source = await parts.content.open(blob.digest, { signal });
  const body = Readable.from(counted(source, say), { objectMode: false });
  const headers = { "content-type": "application/octet-stream", "content-length": String(blob.size) };
  try {
    return await session.request({ method, path, headers, body, scopes: [pushScope(repository)], signal });
  } finally {
    body.destroy();
    source.destroy();
  }
}

async function* counted(source: AsyncIterable<unknown>, say: Say): AsyncGenerator<Buffer> {
  let current = 0;
  let reported = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    current += chunk.length;
    yield chunk;
    if (current - reported < report_bytes) continue;
    reported = current;
    say("Pushing", current);
  }
}

/** The registry's own query must stay (OCI distribution-spec, "POST then PUT"). */
function withDigest(location: string, digest: string): string {
  return `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
}

function locationOf(response: HttpResponse): string {
  const location = response.headers["location"];
  if (location === undefined)
    throw new BerthError("corrupt", `uploading to ${response.url}: the registry named no place to upload to`);
  return new URL(location, response.url).href;
}
