import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { testCertificate, testKey } from "./certificate.ts";
import { bytesOf, type SampleImage, sha256 } from "./sample-images.ts";

/** What goes wrong with one request. */
export type Fault =
  | { kind: "status"; status: number; headers?: Record<string, string> }
  /** The connection breaks after so many bytes of the body. */
  | { kind: "reset"; after_bytes: number }
  /** Nothing more comes after so many bytes, but the connection stays. */
  | { kind: "stall"; after_bytes: number }
  /** Ends properly, but early; no length is declared. */
  | { kind: "truncated"; after_bytes: number }
  /** Declares another length than it sends. */
  | { kind: "length"; declared: number }
  | { kind: "corrupt" }
  /** Sends everything although a range was asked for. */
  | { kind: "ignore-range" };

export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
}

interface Repository {
  manifests: Map<string, { type: string; data: Buffer }>;
  blobs: Map<string, Buffer>;
}

export interface TestRegistryOptions {
  /** A token server of its own, as Docker Hub has; or plain basic authentication. */
  auth?: { kind: "token" | "token-post" | "basic"; username: string; password: string };
  /** With the certificate of testing/certificate.ts. */
  tls?: boolean;
  /** Takes no blob in a single PUT. */
  chunkedOnly?: boolean;
}

/** A registry in memory that misbehaves on demand. */
export class TestRegistry implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  readonly repositories = new Map<string, Repository>();
  readonly #server: Server;
  readonly #options: TestRegistryOptions;
  readonly #faults: { pattern: RegExp; fault: Fault; left: number }[] = [];
  readonly #uploads = new Map<string, Buffer[]>();
  #nextUpload = 1;

  private constructor(options: TestRegistryOptions) {
    this.#options = options;
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      this.#handle(request, response).catch(thrown => response.destroy(thrown as Error));
    };
    const secrets = { cert: testCertificate, key: testKey };
    this.#server = options.tls ? createTlsServer(secrets, handle) : createServer(handle);
  }

  static async start(options: TestRegistryOptions = {}): Promise<TestRegistry> {
    const registry = new TestRegistry(options);
    registry.#server.listen(0, "127.0.0.1");
    await once(registry.#server, "listening");
    return registry;
  }

  /** As it stands in a reference. */
  get domain(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next `times` requests whose "METHOD path" fits go wrong. */
  fail(pattern: RegExp, fault: Fault, times = 1): void {
    this.#faults.push({ pattern, fault, left: times });
  }

  add(repository: string, tag: string, image: SampleImage): void {
    const { manifests, blobs } = this.repository(repository);
    for (const [digest, data] of image.blobs) blobs.set(digest, data);
    const stored = { type: image.manifest.mediaType, data: image.blobs.get(image.manifest.digest)! };
    manifests.set(tag, stored).set(image.manifest.digest, stored);
  }

  addManifest(repository: string, tag: string, type: string, value: unknown): string {
    const data = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
    const stored = { type, data };
    this.repository(repository).manifests.set(tag, stored).set(sha256(data), stored);
    return sha256(data);
  }

  repository(name: string): Repository {
    const found = this.repositories.get(name) ?? { manifests: new Map(), blobs: new Map() };
    this.repositories.set(name, found);
    return found;
  }

  count(pattern: RegExp): number {
    return this.requests.filter(({ method, path }) => pattern.test(`${method} ${path}`)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", `http://${this.domain}`);
    const method = request.method ?? "GET";
    this.requests.push({ method, path: url.pathname, headers: request.headers });
    if (url.pathname === "/token") return this.#token(request, url, response);
    if (!this.#isAuthorized(request)) return this.#challenge(url, response);
    const fault = this.#takeFault(`${method} ${url.pathname}`);
    if (fault?.kind === "status")
      return answer(response, fault.status, fault.headers, '{"errors":[{"code":"TESTED"}]}');
    if (url.pathname === "/v2/") return answer(response, 200);
    const match = /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs)\/([^/]*)$/.exec(url.pathname);
    if (match === null) return answer(response, 404);
    const [, name = "", kind, reference = ""] = match;
    if (kind === "manifests") return this.#manifest(request, response, name, reference, fault);
    if (kind === "blobs") return this.#blob(request, response, name, reference, fault);
    return this.#upload(request, response, url, name, reference, fault);
  }

  #takeFault(line: string): Fault | undefined {
    const found = this.#faults.find(({ pattern, left }) => left > 0 && pattern.test(line));
    if (found !== undefined) found.left--;
    return found?.fault;
  }

  #isAuthorized({ headers, url }: IncomingMessage): boolean {
    const { auth } = this.#options;
    if (auth === undefined) return true;
    if (auth.kind === "basic") return headers.authorization === basic(auth);
    const name = /^\/v2\/(.+)\/(manifests|blobs)/.exec(url ?? "")?.[1];
    const token = Buffer.from((headers.authorization ?? "").replace("Bearer ", ""), "base64").toString();
    return token.startsWith("token") && (name === undefined || token.includes(`repository:${name}:pull`));
  }

  #challenge(url: URL, response: ServerResponse): void {
    const name = /^\/v2\/(.+)\/(manifests|blobs)/.exec(url.pathname)?.[1];
    const scope = name === undefined ? "" : `,scope="repository:${name}:pull"`;
    const bearer = `Bearer realm="http://${this.domain}/token",service="test, registry"${scope}`;
    const header = this.#options.auth?.kind === "basic" ? 'Basic realm="test"' : bearer;
    answer(response, 401, { "www-authenticate": header }, '{"errors":[{"code":"UNAUTHORIZED","message":"log in"}]}');
  }

  async #token(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const { auth } = this.#options;
    const form = new URLSearchParams(request.method === "POST" ? (await bytesOf(request)).toString() : url.search);
    if (auth?.kind === "token-post" && request.method !== "POST") return answer(response, 405);
    const isPassword = form.get("username") === auth?.username && form.get("password") === auth?.password;
    const isRefresh = form.get("refresh_token") === auth?.password;
    const isGood = request.method === "POST" ? isPassword || isRefresh : request.headers.authorization === basic(auth!);
    if (!isGood || form.get("service") !== "test, registry")
      return answer(response, 401, {}, '{"errors":[{"code":"DENIED"}]}');
    const token = Buffer.from(`token ${form.getAll("scope").join(" ")}`).toString("base64");
    answer(response, 200, {}, JSON.stringify({ token, expires_in: 300 }));
  }

  async #manifest(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    reference: string,
    fault: Fault | undefined,
  ): Promise<void> {
    const { manifests } = this.repository(name);
    if (request.method === "PUT") {
      const data = await bytesOf(request);
      const stored = { type: request.headers["content-type"] ?? "", data };
      manifests.set(reference, stored).set(sha256(data), stored);
      return answer(response, 201, { location: `/v2/${name}/manifests/${sha256(data)}` });
    }
    const stored = manifests.get(reference);
    if (stored === undefined)
      return answer(response, 404, {}, '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
    const headers = { "content-type": stored.type, "docker-content-digest": sha256(stored.data) };
    return send(request, response, stored.data, headers, fault);
  }

  async #blob(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    digest: string,
    fault: Fault | undefined,
  ): Promise<void> {
    const data = this.repository(name).blobs.get(digest);
    if (data === undefined) return answer(response, 404, {}, '{"errors":[{"code":"BLOB_UNKNOWN"}]}');
    return send(request, response, data, {}, fault);
  }

  async #upload(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    name: string,
    id: string,
    fault: Fault | undefined,
  ): Promise<void> {
    const { blobs } = this.repository(name);
    if (request.method === "POST") {
      const mount = url.searchParams.get("mount");
      const mounted = this.repositories.get(url.searchParams.get("from") ?? "")?.blobs.get(mount ?? "");
      if (mounted !== undefined) {
        blobs.set(mount!, mounted);
        return answer(response, 201, { location: `/v2/${name}/blobs/${mount}` });
      }
      const upload = String(this.#nextUpload++);
      this.#uploads.set(upload, []);
      return answer(response, 202, { location: `/v2/${name}/blobs/uploads/${upload}?state=kept` });
    }
    if (fault?.kind === "reset") return void request.socket.destroy();
    if (url.searchParams.get("state") !== "kept") return answer(response, 400);
    const body = await bytesOf(request);
    if (request.method === "PATCH") {
      this.#uploads.get(id)?.push(body);
      return answer(response, 202, { location: `/v2/${name}/blobs/uploads/${id}?state=kept` });
    }
    if (this.#options.chunkedOnly && body.length > 0) return answer(response, 400);
    const data = Buffer.concat([...(this.#uploads.get(id) ?? []), body]);
    const digest = url.searchParams.get("digest") ?? "";
    if (sha256(data) !== digest) return answer(response, 400, {}, '{"errors":[{"code":"DIGEST_INVALID"}]}');
    blobs.set(digest, data);
    answer(response, 201, { location: `/v2/${name}/blobs/${digest}` });
  }
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}, body = ""): void {
  response.writeHead(status, headers).end(body);
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  data: Buffer,
  headers: Record<string, string>,
  fault: Fault | undefined,
): Promise<void> {
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
  const start = range === undefined || fault?.kind === "ignore-range" ? 0 : Number(range);
  const body = Buffer.from(data.subarray(start));
  if (fault?.kind === "corrupt" && body.length > 0) body.writeUInt8((body.at(-1)! + 1) % 256, body.length - 1);
  const status = start > 0 ? 206 : 200;
  const all: Record<string, string> = { ...headers };
  if (start > 0) all["content-range"] = `bytes ${start}-${data.length - 1}/${data.length}`;
  if (fault?.kind !== "truncated")
    all["content-length"] = String(fault?.kind === "length" ? fault.declared : body.length);
  response.writeHead(status, all);
  if (request.method === "HEAD") return void response.end();
  if (fault?.kind === "reset" || fault?.kind === "stall") {
    response.write(
      body.subarray(0, fault.after_bytes),
      () => fault.kind === "reset" && request.socket.resetAndDestroy(),
    );
    return;
  }
  response.end(fault?.kind === "truncated" ? body.subarray(0, fault.after_bytes) : body);
}
