import { familiarName } from "../../image/reference.ts";
import type { Image } from "../../model/image.ts";
import { noTime } from "../containers/container-state.ts";

/** A line of GET /images/json. */
export function imageSummaryOf(image: Image, version: number) {
  return {
    Id: image.id,
    ParentId: "",
    ...names(image, version),
    Created: Math.max(0, Math.floor(Date.parse(image.createdAt) / 1000)) || 0,
    Size: image.size_bytes,
    SharedSize: -1,
    ...(version < 44 ? { VirtualSize: image.size_bytes } : {}),
    Labels: image.config.config?.Labels ?? null,
    Containers: -1,
  };
}

/** Up to 1.42 an image without a name had one. */
function names({ tags, repoDigests }: Image, version: number) {
  const familiar = { RepoTags: tags.map(familiarName), RepoDigests: repoDigests.map(familiarName) };
  if (version >= 43 || tags.length > 0 || repoDigests.length > 0) return familiar;
  return { RepoTags: ["<none>:<none>"], RepoDigests: ["<none>@<none>"] };
}

/** GET /images/{name}/json. */
export function imageInspectOf(image: Image, version: number) {
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: image.tags.map(familiarName),
    RepoDigests: image.repoDigests.map(familiarName),
    Parent: "",
    Comment: config.history?.at(-1)?.comment ?? "",
    Created: config.created ?? image.createdAt,
    DockerVersion: "",
    Author: config.author ?? "",
    Config: runConfigOf(image),
    ...(version < 45 ? { Container: "", ContainerConfig: runConfigOf(image) } : {}),
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    Size: image.size_bytes,
    ...(version < 44 ? { VirtualSize: image.size_bytes } : {}),
    GraphDriver: { Name: "overlay2", Data: null },
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: image.taggedAt ?? noTime },
  };
}

function runConfigOf({ config }: Image) {
  const run = config.config ?? {};
  return {
    Hostname: "",
    Domainname: "",
    User: run.User ?? "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(run.ExposedPorts ? { ExposedPorts: run.ExposedPorts } : {}),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: run.Env ?? null,
    Cmd: run.Cmd ?? null,
    ...(run.Healthcheck ? { Healthcheck: run.Healthcheck } : {}),
    Image: "",
    Volumes: run.Volumes ?? null,
    WorkingDir: run.WorkingDir ?? "",
    Entrypoint: run.Entrypoint ?? null,
    OnBuild: run.OnBuild ?? null,
    Labels: run.Labels ?? null,
    ...(run.StopSignal ? { StopSignal: run.StopSignal } : {}),
    ...(run.Shell ? { Shell: run.Shell } : {}),
  };
}
