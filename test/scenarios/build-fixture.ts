import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { LocalBuilder } from "../../src/build/local-builder.ts";
import { HostSourceFetcher } from "../../src/drivers/build/source-fetcher.ts";
import { RuntimeStepRunner } from "../../src/drivers/build/step-runner.ts";
import { layerXattrs } from "../../src/drivers/build/xattrs.ts";
import { LinuxCgroups } from "../../src/drivers/cgroup/linux-cgroups.ts";
import { LinuxHost } from "../../src/drivers/host/linux-host.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { BridgeNetworks } from "../../src/drivers/network/bridge-networks.ts";
import { OverlayLayers } from "../../src/drivers/overlay/overlay-layers.ts";
import { runProgram } from "../../src/drivers/programs/run-program.ts";
import { hostsFile, resolvConf } from "../../src/engine/network-files.ts";
import { DiskContentStore } from "../../src/image/content/content-store.ts";
import { RegistryClients } from "../../src/image/distribution/registry-clients.ts";
import { LocalImageService } from "../../src/image/image-service.ts";
import type { BuildEvent, BuildInput, BuildResult } from "../../src/ports/build.ts";
import { importBusybox } from "./busybox-image.ts";

export interface Ran extends BuildResult {
  /** Names of layer steps that came from the cache. */
  cached: string[];
  /** Names of steps that ran. */
  ran: string[];
  output: string;
  events: BuildEvent[];
}

let instances = 0;

/** A builder of real parts in directories of its own, with busybox as base image; leaves nothing behind. */
export class BuildFixture implements AsyncDisposable {
  readonly base: string;
  readonly context: string;
  readonly instance: string;
  readonly locks = new FileLocks(systemClock);
  readonly host = new LinuxHost();
  readonly platform = { os: "linux", architecture: this.host.facts().architecture };
  readonly content: DiskContentStore;
  readonly layers: OverlayLayers;
  readonly clients: RegistryClients;
  readonly images: LocalImageService;
  readonly networks: BridgeNetworks;
  readonly cgroup: string;
  readonly builder: LocalBuilder;

  /** `shared`: the directories of another fixture, as a second process sees them. */
  constructor(shared?: { base: string; instance: string }) {
    this.base = shared?.base ?? mkdtempSync("/tmp/berth-build-");
    this.instance = shared?.instance ?? `b${process.pid % 100000}x${instances++}`;
    this.cgroup = `berth-build-test-${this.instance}`;
    this.context = join(this.base, "context");
    const { locks, platform } = this;
    const clock = systemClock;
    this.content = new DiskContentStore({ root: join(this.base, "root/content"), locks, clock });
    const { content } = this;
    this.layers = new OverlayLayers({ root: join(this.base, "root/layers"), content, locks, clock });
    this.clients = new RegistryClients({
      clock,
      random: Math.random,
      runProgram,
      dockerConfig: join(this.base, "docker"),
    });
    const { layers, clients } = this;
    this.images = new LocalImageService({
      root: join(this.base, "root/images"),
      ...{ content, layers, locks, clock, platform, clients },
    });
    this.networks = new BridgeNetworks({
      definitionsDirectory: join(this.base, "root/networks"),
      stateDirectory: join(this.base, "run/network"),
      instance: this.instance,
      ...{ locks, clock, random: Math.random },
    });
    this.builder = this.open();
    mkdirSync(this.context, { recursive: true });
  }

  static async make(): Promise<BuildFixture> {
    const fixture = new BuildFixture();
    await importBusybox(fixture.images);
    return fixture;
  }

  /** A further user of the same directories, as another process would be. */
  open(): LocalBuilder {
    const { images, layers, locks, platform, host, networks } = this;
    const runner = new RuntimeStepRunner({
      runDirectory: join(this.base, "run/build"),
      searchPath: process.env["PATH"] ?? "",
      clock: systemClock,
      ...{ host, networks },
      cgroupRoot: this.cgroup,
      networkFiles: ({ extraHosts, resolver }) => ({
        hosts: hostsFile(
          extraHosts.map(item => ({ address: item.slice(item.indexOf(":") + 1), names: [item.split(":", 1)[0]!] })),
        ),
        resolvConf: resolvConf({ hostFile: "", resolver, servers: [], search: [], options: [] }),
      }),
    });
    return new LocalBuilder({
      root: join(this.base, "root/build"),
      runPath: join(this.base, "run/build-steps"),
      ...{ images, layers, locks, platform, runner },
      clients: this.clients,
      clock: systemClock,
      fetcher: new HostSourceFetcher({ PATH: process.env["PATH"], HOME: this.base }),
      xattrs: layerXattrs,
      cpus: 2,
    });
  }

  /** Writes files of the context; a null removes nothing but makes a directory. */
  write(files: Record<string, string>, root = this.context): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
  }

  async build(dockerfile: string, input: Partial<BuildInput> = {}, builder = this.builder): Promise<Ran> {
    const events: BuildEvent[] = [];
    const result = await builder.build({
      context: { kind: "directory", path: this.context },
      dockerfile: { text: dockerfile },
      onProgress: event => events.push(event),
      ...input,
    });
    const named = (state: string) =>
      events.flatMap(event =>
        event.kind === "state" && event.state === state && event.vertex.stage !== ""
          ? [event.vertex.name.replace(/^\[.*?\] /, "")]
          : [],
      );
    const output = Buffer.concat(events.flatMap(event => (event.kind === "log" ? [event.data] : []))).toString();
    return { ...result, cached: named("cached"), ran: named("done"), output, events };
  }

  /** The root file system of an image: path -> what is there, as `ls -l` would put it. */
  async files(reference: string): Promise<Map<string, string>> {
    const { rootTar } = await import("../../src/build/output/rootfs.ts");
    const { TarParser } = await import("../../src/image/layer/tar-parser.ts");
    const { toText } = await import("../../src/image/layer/tar-entry.ts");
    const image = await this.images.get(reference);
    const layers = image.layers.map((blob, i) => ({ blob, diffId: image.config.rootfs.diff_ids[i]! }));
    await this.layers.unpack(layers);
    await using view = await this.layers.view(`test-${instances++}`, image.config.rootfs.diff_ids);
    const found = new Map<string, string>();
    let open: { path: string; parts: Buffer[] } | undefined;
    const parser = new TarParser({
      entry: ({ path, type, mode, uid, gid, link }) => {
        const name = `/${toText(path).replace(/\/$/, "")}`;
        found.set(name, `${type} ${mode.toString(8)} ${uid}:${gid}${link ? ` ${toText(link)}` : ""}`);
        open = type === "file" ? { path: name, parts: [] } : undefined;
      },
      data: chunk => open?.parts.push(Buffer.from(chunk)),
      end: () => {
        if (open)
          found.set(
            open.path,
            `${found.get(open.path)} ${JSON.stringify(Buffer.concat(open.parts).toString().slice(0, 200))}`,
          );
      },
    });
    for await (const chunk of rootTar(view.path, layerXattrs, undefined)) parser.push(chunk as Buffer);
    parser.finish();
    return found;
  }

  /** What only the image has, compared with busybox. */
  async added(reference: string): Promise<Record<string, string>> {
    const base = await this.files("busybox");
    return Object.fromEntries([...(await this.files(reference))].filter(([path, text]) => base.get(path) !== text));
  }

  /** Nothing of any build is left: roots, containers, temporary files. */
  async leftovers(): Promise<string[]> {
    const listed = (path: string) => readdirSync(join(this.base, path)).map(name => `${path}/${name}`);
    return [
      ...(await this.layers.roots()),
      ...listed("root/build/tmp"),
      ...listed("run/build-steps"),
      ...listed("run/build/runtime"),
      ...(await this.networks.members((await this.networks.get("bridge")).id)).map(member => member.containerId),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.networks.check(new Set(), { repair: true });
    await this.clients[Symbol.asyncDispose]();
    await this.layers[Symbol.asyncDispose]();
    await new LinuxCgroups(systemClock).remove(`/${this.cgroup}`);
    rmSync(this.base, { recursive: true, force: true });
  }
}
