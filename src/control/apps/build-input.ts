import { readFile } from "node:fs/promises";
import { BerthError } from "../../base/errors.ts";
import type { App } from "../../model/app.ts";
import type { BuildSpec, Service } from "../../model/service.ts";
import type { BuildContext, BuildInput, CacheLocation, NamedContext } from "../../ports/build.ts";

/** A service's `build` section as the builder takes it. Attributes without meaning here are refused by name. */
export async function buildInput(app: App, service: Service, reference: string): Promise<BuildInput> {
  const build = service.build!;
  const refused = (["isolation", "entitlements"] as const).find(
    key => build[key] !== undefined && build[key]?.length !== 0,
  );
  if (refused) throw new BerthError("unsupported", `service ${service.name}: build.${refused}`);
  const platforms = build.platforms ?? [];
  if (platforms.length > 1) {
    throw new BerthError("unsupported", `service ${service.name}: a build for ${platforms.length} platforms at once`, {
      hint: "name one platform, or none for that of this host",
    });
  }
  const [os, architecture, variant] = (platforms[0] ?? service.platform ?? "").split("/");
  return {
    context: contextOf(build.context),
    contexts: Object.fromEntries(
      Object.entries(build.additionalContexts ?? {}).map(([name, source]) => [name, namedContext(app, source)]),
    ),
    dockerfile:
      build.dockerfileInline !== undefined
        ? { text: build.dockerfileInline }
        : build.dockerfile === undefined
          ? undefined
          : { path: build.dockerfile },
    target: build.target,
    args: build.args,
    secrets: await buildSecrets(app, build),
    ssh: build.ssh,
    tags: [reference, ...(build.tags ?? [])],
    labels: build.labels,
    noCache: build.noCache,
    noCacheStages: build.noCacheFilter,
    pull: build.pull,
    platform: os && architecture ? { os, architecture, ...(variant ? { variant } : {}) } : undefined,
    cacheFrom: build.cacheFrom?.map(cacheLocation),
    cacheTo: build.cacheTo?.map(text =>
      /^type=inline/.test(text) ? { type: "inline" as const } : cacheLocation(text),
    ),
    network: networkOf(service, build),
    extraHosts: build.extraHosts?.map(entry => entry.replace("=", ":")),
    shmSize_bytes: build.shmSize_bytes,
    ulimits: build.ulimits,
  };
}

function contextOf(text: string): BuildContext {
  return /^(https?|git|ssh):\/\/|^git@/.test(text) ? { kind: "url", url: text } : { kind: "directory", path: text };
}

function namedContext(app: App, source: string): NamedContext {
  if (source.startsWith("docker-image://")) return { kind: "image", reference: source.slice("docker-image://".length) };
  if (source.startsWith("service:")) {
    const name = source.slice("service:".length);
    return { kind: "image", reference: app.services[name]?.image ?? `${app.name}-${name}` };
  }
  return contextOf(source);
}

async function buildSecrets(app: App, build: BuildSpec): Promise<BuildInput["secrets"]> {
  const secrets: NonNullable<BuildInput["secrets"]> = {};
  for (const { source, target } of build.secrets ?? []) {
    const origin = app.secrets[source]?.origin;
    if (origin?.from !== "file") {
      throw new BerthError("unsupported", `build secret ${source}: only secrets from files can be given to a build`);
    }
    secrets[target || source] = { data: await readFile(origin.path) };
  }
  return secrets;
}

function cacheLocation(text: string): CacheLocation {
  const options = Object.fromEntries(text.split(",").map(part => part.split("=", 2) as [string, string | undefined]));
  if (options["type"] === "local") return { type: "local", path: options["src"] ?? options["dest"] ?? "" };
  return { type: "registry", reference: options["ref"] ?? text };
}

function networkOf(service: Service, { network }: BuildSpec): BuildInput["network"] {
  if (network === undefined || network === "default") return undefined;
  if (network === "host" || network === "none") return network;
  throw new BerthError("unsupported", `service ${service.name}: build.network ${network}`, {
    hint: "use host, none or default",
  });
}
