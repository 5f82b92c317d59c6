import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { FileLocks } from "../drivers/linux/file-locks.ts";
import { DiskContentStore } from "../image/content/content-store.ts";
import { Access, type AccessRules } from "../registry/access.ts";
import { Registry, type Upstream } from "../registry/registry.ts";
import { createRegistryServer } from "../registry/server.ts";

export const digestOf = (data: Buffer | string) => `sha256:${createHash("sha256").update(data).digest("hex")}`;
export const ociManifest = "application/vnd.oci.image.manifest.v1+json";

export const errorCode = async (answer: Response) =>
  ((await answer.json()) as { errors: { code: string }[] }).errors[0]!.code;

/** A registry of its own on a free port; `stop` and `start` restart it over the same files. */
export class RegistryFixture {
  readonly root = mkdtempSync(join(tmpdir(), "berth-registry-"));
  readonly content = new DiskContentStore({
    root: join(this.root, "content"),
    locks: new FileLocks(systemClock),
    clock: systemClock,
  });
  now_ms = systemClock.now_ms();
  registry!: Registry;
  server!: Server;
  base = "";

  async start(options: { access?: AccessRules; readOnly?: boolean; upstream?: Upstream } = {}): Promise<void> {
    const clock = { ...systemClock, now_ms: () => this.now_ms };
    this.registry = new Registry({
      root: this.root,
      content: this.content,
      locks: new FileLocks(clock),
      clock,
      upstream: options.upstream,
    });
    const access = options.access && new Access(options.access, Buffer.from("secret"), () => this.now_ms);
    const server = createRegistryServer({
      registry: this.registry,
      logger: silentLogger,
      access,
      readOnly: options.readOnly,
    });
    this.server = server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await this.registry[Symbol.asyncDispose]();
  }

  async close(): Promise<void> {
    await this.stop();
    rmSync(this.root, { recursive: true, force: true });
  }

  async pushBlob(repository: string, data: string): Promise<string> {
    const digest = digestOf(data);
    const answer = await fetch(`${this.base}/v2/${repository}/blobs/uploads/?digest=${digest}`, {
      method: "POST",
      body: data,
    });
    if (answer.status !== 201) throw new Error(`pushing a blob was answered with ${answer.status}`);
    return digest;
  }

  async pushManifest(repository: string, reference: string, manifest: object): Promise<Response> {
    const headers = { "Content-Type": ociManifest };
    return await fetch(`${this.base}/v2/${repository}/manifests/${reference}`, {
      method: "PUT",
      body: JSON.stringify(manifest),
      headers,
    });
  }

  /** Pushes a configuration and one layer; returns the manifest for them. */
  async imageOf(repository: string, layer = "layer", extra: object = {}) {
    const config = {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: await this.pushBlob(repository, "{}"),
      size: 2,
    };
    const layers = [
      {
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        digest: await this.pushBlob(repository, layer),
        size: layer.length,
      },
    ];
    return { schemaVersion: 2, mediaType: ociManifest, config, layers, ...extra };
  }
}

export async function openRegistryFixture(): Promise<RegistryFixture> {
  const fixture = new RegistryFixture();
  await fixture.start();
  return fixture;
}
