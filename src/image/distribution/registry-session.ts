import { Readable } from "node:stream";
import { BerthError, isCode } from "../../base/errors.ts";
import type { Descriptor } from "../../model/image.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { RegistryAuth } from "../../ports/images.ts";
import { digestOf } from "../digest.ts";
import { manifestAccept, manifestLimit_bytes, type ParsedManifest, parseManifest } from "../manifest.ts";
import { Authorizer } from "./authorizer.ts";
import type { Endpoint } from "./registry-settings.ts";
import { statusError } from "./transfer-error.ts";
import { discard, type HttpRequest, type HttpResponse, readBody, type Transport } from "./transport.ts";

export interface FetchedManifest {
  descriptor: Descriptor;
  data: Buffer;
  parsed: ParsedManifest;
}

interface SessionOptions {
  transport: Transport;
  endpoint: Endpoint;
  auth: () => Promise<RegistryAuth | undefined>;
}

interface Opened {
  base: string;
  authorizer: Authorizer;
}

type ApiRequest = Omit<HttpRequest, "url"> & { path: string; scopes: string[] };

/** One registry for the time of one pull or push: its address found out, its challenges answered. OCI distribution-spec 1.1, "end-n" are its endpoints. */
export class RegistrySession {
  readonly endpoint: Endpoint;
  readonly #transport: Transport;
  readonly #auth: SessionOptions["auth"];
  #opened: Promise<Opened> | undefined;

  constructor({ transport, endpoint, auth }: SessionOptions) {
    this.#transport = transport;
    this.endpoint = endpoint;
    this.#auth = auth;
  }

  /** end-1: says whether the credentials are good. Throws `unauthorized`. */
  async ping(options: CallOptions = {}): Promise<void> {
    const response = await this.request({ method: "GET", path: "/v2/", scopes: [], signal: options.signal });
    await this.expect(response, [200], `logging in to ${this.endpoint.domain}`);
    discard(response);
  }

  /** end-3. `reference` is a tag or a digest; the answer is checked against a digest wherever one is known. */
  async manifest(repository: string, reference: string, options: CallOptions = {}): Promise<FetchedManifest> {
    const what = `manifest ${this.endpoint.domain}/${repository} ${reference}`;
    const response = await this.request({
      method: "GET",
      path: `/v2/${repository}/manifests/${reference}`,
      headers: { accept: manifestAccept },
      scopes: [pullScope(repository)],
      signal: options.signal,
    });
    await this.expect(response, [200], `fetching ${what}`);
    const data = await readBody(response, what, manifestLimit_bytes);
    const digest = digestOf(data);
    const expected = reference.startsWith("sha256:") ? reference : response.headers["docker-content-digest"];
    if (expected?.startsWith("sha256:") && expected !== digest) {
      throw new BerthError("corrupt", `fetching ${what}: it has ${digest}, the registry promised ${expected}`);
    }
    const declared = Number(response.headers["content-length"] ?? data.length);
    if (response.headers["content-encoding"] === undefined && declared !== data.length) {
      throw new BerthError("corrupt", `fetching ${what}: ${data.length} bytes came, ${declared} were declared`);
    }
    const parsed = parseManifest(data, what, response.headers["content-type"]);
    return { descriptor: { mediaType: parsed.mediaType, digest, size: data.length }, data, parsed };
  }

  /** end-2, from `start` on. The stream ends early or fails when the connection does; what comes is not verified here. */
  async blob(repository: string, blob: Descriptor, start: number, options: CallOptions = {}): Promise<Readable> {
    const what = `fetching blob ${blob.digest} of ${this.endpoint.domain}/${repository}`;
    const response = await this.request({
      method: "GET",
      path: `/v2/${repository}/blobs/${blob.digest}`,
      headers: start > 0 ? { range: `bytes=${start}-` } : {},
      scopes: [pullScope(repository)],
      signal: options.signal,
    });
    await this.expect(response, start > 0 ? [200, 206] : [200], what);
    const skipped = response.status === 206 ? rangeStart(response, what) : 0;
    if (skipped > start) {
      discard(response);
      throw new BerthError("corrupt", `${what}: asked from byte ${start}, the registry began at ${skipped}`);
    }
    const declared = response.headers["content-length"];
    if (declared !== undefined && Number(declared) !== blob.size - skipped) {
      response.body.on("error", () => {}).destroy();
      throw new BerthError(
        "corrupt",
        `${what}: the registry sends ${declared} bytes, the manifest declares ${blob.size - skipped}`,
      );
    }
    return skipBytes(response.body, start - skipped);
  }

  /** Throws what the status means, unless it is one of `wanted`. */
  async expect(response: HttpResponse, wanted: number[], attempted: string): Promise<void> {
    if (wanted.includes(response.status)) return;
    const body = await readBody(response, attempted).catch(() => Buffer.alloc(0));
    throw statusError(response, body.toString("utf8"), attempted);
  }

  /** Authorized; a challenge is answered once. A body that is a stream is gone then: throws a retryable `unauthorized`, and the answer is ready for the next try. */
  async request({ path, scopes, ...input }: ApiRequest): Promise<HttpResponse> {
    const { base, authorizer } = await this.#open(input.signal);
    const url = /^https?:/.test(path) ? path : `${base}${path}`;
    const isOwn = new URL(url).host === new URL(base).host;
    for (let attempt = 1; ; attempt++) {
      const authorization = isOwn ? await authorizer.header(scopes, input) : undefined;
      const headers = authorization === undefined ? input.headers : { ...input.headers, authorization };
      const response = await this.#transport.send(this.endpoint.settings, { ...input, url, headers });
      if (response.status !== 401 || attempt > 1) return response;
      if (!(await authorizer.learn(response, scopes, authorization))) return response;
      if (input.body instanceof Readable) {
        discard(response);
        throw new BerthError("unauthorized", `${input.method} ${path}: the registry wants a newer token`, {
          retryable: true,
        });
      }
      discard(response);
    }
  }

  async #open(signal: AbortSignal | undefined): Promise<Opened> {
    const opened = (this.#opened ??= this.#findOut(signal));
    try {
      return await opened;
    } catch (thrown) {
      if (this.#opened === opened) this.#opened = undefined;
      throw thrown;
    }
  }

  /** An insecure registry may speak TLS or not: TLS is tried first, as docker does. */
  async #findOut(signal: AbortSignal | undefined): Promise<Opened> {
    let { base } = this.endpoint;
    if (this.endpoint.probe) {
      try {
        discard(await this.#transport.send(this.endpoint.settings, { method: "GET", url: `${base}/v2/`, signal }));
      } catch (thrown) {
        signal?.throwIfAborted();
        if (!isCode(thrown, "unavailable")) throw thrown;
        base = base.replace(/^https:/, "http:");
        discard(await this.#transport.send(this.endpoint.settings, { method: "GET", url: `${base}/v2/`, signal }));
      }
    }
    const { settings } = this.endpoint;
    return { base, authorizer: new Authorizer({ transport: this.#transport, settings, base, auth: this.#auth }) };
  }
}

export const pullScope = (repository: string) => `repository:${repository}:pull`;
export const pushScope = (repository: string) => `repository:${repository}:pull,push`;

function rangeStart(response: HttpResponse, what: string): number {
  const match = /^bytes (\d+)-/.exec(response.headers["content-range"] ?? "");
  if (match !== null) return Number(match[1]);
  discard(response);
  throw new BerthError("corrupt", `${what}: the registry answered 206 without a Content-Range`);
}

/** A registry that ignores ranges sends all of it again. */
function skipBytes(source: Readable, count: number): Readable {
  if (count === 0) return source;
  let left = count;
  return source.compose(async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      const skipped = Math.min(left, chunk.length);
      left -= skipped;
      if (skipped < chunk.length) yield chunk.subarray(skipped);
    }
  }) as unknown as Readable;
}
