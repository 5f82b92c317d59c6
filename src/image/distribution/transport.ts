import type { Readable } from "node:stream";
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import { BerthError } from "../../base/errors.ts";
import { isLoopback, type RegistrySettings } from "./registry-settings.ts";
import { asTransferError } from "./transfer-error.ts";

const redirectLimit = 5;
const redirects = new Set([301, 302, 303, 307, 308]);
/** Error bodies and tokens; manifests have their own limit. */
const smallBody_bytes = 1024 * 1024;

export interface TransportOptions {
  /** To open a connection, TLS included. Default 15 s. */
  connect_ms?: number;
  /** Between two pieces of data, or until the answer begins: afterwards the registry counts as stalled. Default 60 s. */
  stall_ms?: number;
  /** Proxies, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY name them. */
  proxy?: { http?: string; https?: string; no?: string };
}

export interface HttpRequest {
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH";
  url: string;
  headers?: Record<string, string>;
  body?: Readable | Buffer | string;
  signal?: AbortSignal;
}

export interface HttpResponse {
  status: number;
  /** First value of each, lower-case names. */
  headers: Record<string, string>;
  body: Readable;
  /** Where redirects led. */
  url: string;
}

/** HTTP to registries: pooled connections, stall timeouts, redirects that do not carry credentials to other hosts. Closing it ends all transfers. */
export class Transport implements AsyncDisposable {
  readonly #options: TransportOptions;
  readonly #dispatchers = new Map<string, Dispatcher>();

  constructor(options: TransportOptions = {}) {
    this.#options = options;
  }

  /** Throws retryable errors for what the network did; any HTTP status is a result. The body must be read or destroyed. */
  async send(settings: RegistrySettings, input: HttpRequest): Promise<HttpResponse> {
    let { url } = input;
    let trust = settings;
    let headers = { ...input.headers };
    for (let hop = 0; ; hop++) {
      const response = await this.#sendOnce(trust, { ...input, url, headers });
      const location = response.headers["location"];
      const isRedirected = redirects.has(response.status) && location !== undefined;
      if (!isRedirected || !["GET", "HEAD"].includes(input.method)) return response;
      discard(response);
      if (hop >= redirectLimit)
        throw new BerthError("unavailable", `asking ${input.url}: more than ${redirectLimit} redirects`);
      const next = new URL(location, url);
      if (next.protocol !== "https:" && !(next.protocol === "http:" && new URL(url).protocol === "http:")) {
        throw new BerthError(
          "forbidden",
          `asking ${input.url}: it redirects to ${next.protocol}//${next.host}, which is not encrypted`,
        );
      }
      if (next.host !== new URL(url).host) {
        headers = withoutCredentials(headers);
        trust = { ...trust, insecure: trust.insecure && isLoopback(next.host), certificate: undefined, key: undefined };
      }
      url = next.href;
    }
  }

  async #sendOnce(
    settings: RegistrySettings,
    { method, url, headers, body, signal }: HttpRequest,
  ): Promise<HttpResponse> {
    try {
      const response = await request(url, {
        dispatcher: this.#dispatcher(settings, url),
        method,
        headers,
        body,
        signal,
      });
      return { status: response.statusCode, headers: singleValues(response.headers), body: response.body, url };
    } catch (thrown) {
      signal?.throwIfAborted();
      throw asTransferError(thrown, `${method} ${withoutQuery(url)}`);
    }
  }

  #dispatcher(settings: RegistrySettings, url: string): Dispatcher {
    const proxy = isLoopback(new URL(url).host) ? undefined : this.#options.proxy;
    const key = JSON.stringify([
      settings.insecure,
      settings.ca,
      settings.certificate,
      settings.key,
      proxy !== undefined,
    ]);
    const existing = this.#dispatchers.get(key);
    if (existing !== undefined) return existing;
    const stall_ms = this.#options.stall_ms ?? 60_000;
    const options: Agent.Options = {
      connections: 16,
      headersTimeout: stall_ms,
      bodyTimeout: stall_ms,
      connect: {
        timeout: this.#options.connect_ms ?? 15_000,
        rejectUnauthorized: !settings.insecure,
        ca: settings.ca,
        cert: settings.certificate,
        key: settings.key,
      },
    };
    const made = proxy
      ? new EnvHttpProxyAgent({ ...options, httpProxy: proxy.http, httpsProxy: proxy.https, noProxy: proxy.no })
      : new Agent(options);
    this.#dispatchers.set(key, made);
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const dispatchers = [...this.#dispatchers.values()];
    this.#dispatchers.clear();
    await Promise.all(dispatchers.map(dispatcher => dispatcher.destroy()));
  }
}

/** Drops the rest of a response, so that its connection is free again. */
export function discard(response: HttpResponse): void {
  response.body.on("error", () => {});
  response.body.resume();
}

/** Whole body in memory; throws `corrupt` above the limit. */
export async function readBody(response: HttpResponse, what: string, limit_bytes = smallBody_bytes): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size_bytes = 0;
  try {
    for await (const part of response.body as AsyncIterable<Buffer>) {
      size_bytes += part.length;
      if (size_bytes > limit_bytes)
        throw new BerthError("corrupt", `reading ${what}: the answer exceeds ${limit_bytes} bytes`);
      parts.push(part);
    }
  } catch (thrown) {
    throw asTransferError(thrown, `reading ${what}`);
  }
  return Buffer.concat(parts);
}

function singleValues(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const pairs = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
}

function withoutCredentials(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"));
}

/** Signed download addresses carry secrets in their query. */
function withoutQuery(url: string): string {
  return url.replace(/\?.*$/, "");
}
