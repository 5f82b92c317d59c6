import { BerthError } from "../../base/errors.ts";
import type { MountSpec, MountType, Propagation } from "../../model/container.ts";
import type { Fields } from "../http/fields.ts";

const propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"] as const;
const types = ["bind", "volume", "tmpfs", "image"] as const;
/** Words that change nothing here: SELinux labels, caching of other systems, defaults. */
const accepted = new Set(["rw", "z", "Z", "cached", "delegated", "consistent", "rbind", "bind", "copy", "default"]);

/** Everything that Docker has three ways to say: Binds, Mounts, Tmpfs, and Volumes for anonymous ones. A target that is said twice counts once. */
export function toMounts(body: Fields, host: Fields | undefined): MountSpec[] {
  const tmpfs = host?.map("Tmpfs") ?? {};
  const mounts = [
    ...(host?.objects("Mounts") ?? []).map(toMount),
    ...(host?.texts("Binds") ?? []).map(parseBind),
    ...Object.entries(tmpfs).map(
      ([target, options]): MountSpec => ({
        type: "tmpfs",
        target,
        options: options ? options.split(",") : undefined,
      }),
    ),
  ];
  const named = new Set(mounts.map(({ target }) => target));
  for (const target of body.object("Volumes")?.names() ?? []) {
    if (!named.has(target)) mounts.push({ type: "volume", target });
  }
  return mounts;
}

/** SOURCE:TARGET[:OPTIONS]; a source that begins with a slash is a path of the host, else a volume. */
export function parseBind(text: string): MountSpec {
  const parts = text.split(":");
  if (parts.length > 3 || parts.some(part => part === "")) {
    throw new BerthError("invalid", `HostConfig.Binds: invalid volume specification: '${text}'`, {
      hint: "write /host/path:/path or volume:/path, with :ro where wanted",
    });
  }
  const [source = "", target, options] = parts;
  if (target === undefined) return { type: "volume", target: source };
  const mount: MountSpec = source.startsWith("/")
    ? { type: "bind", source, target, createHostPath: true }
    : { type: "volume", source, target };
  for (const option of options?.split(",") ?? []) applyOption(mount, option, text);
  return mount;
}

function applyOption(mount: MountSpec, option: string, text: string): void {
  if (option === "ro") mount.readOnly = true;
  else if (option === "nocopy") mount.noCopy = true;
  else if (isPropagation(option)) mount.propagation = option;
  else if (!accepted.has(option)) {
    throw new BerthError("invalid", `HostConfig.Binds: invalid mode ${JSON.stringify(option)} in '${text}'`);
  }
}

const isPropagation = (text: string): text is Propagation => (propagations as readonly string[]).includes(text);

function toMount(fields: Fields): MountSpec {
  const given = fields.text("Type") || "volume";
  const type = types.find((known): known is MountType => known === given);
  if (type === undefined) {
    throw new BerthError("unsupported", `${fields.path("Type")}: mount type ${JSON.stringify(given)} is not served`, {
      hint: `use ${types.join(", ")}`,
    });
  }
  const bind = fields.object("BindOptions");
  const volume = fields.object("VolumeOptions");
  const image = fields.object("ImageOptions");
  const tmpfs = fields.object("TmpfsOptions");
  const propagation = bind?.text("Propagation") ?? "";
  if (propagation && !isPropagation(propagation)) {
    throw new BerthError("invalid", `${fields.path("BindOptions.Propagation")}: ${propagation} is unknown`);
  }
  return {
    type,
    source: fields.text("Source") || undefined,
    target: fields.text("Target") ?? "",
    readOnly: fields.flag("ReadOnly"),
    propagation: isPropagation(propagation) ? propagation : undefined,
    createHostPath: bind?.flag("CreateMountpoint"),
    nonRecursive: bind?.flag("NonRecursive"),
    noCopy: volume?.flag("NoCopy"),
    subpath: volume?.text("Subpath") || image?.text("Subpath") || undefined,
    labels: volume?.map("Labels"),
    driver: volume?.object("DriverConfig")?.text("Name") || undefined,
    driverOptions: volume?.object("DriverConfig")?.map("Options"),
    size_bytes: tmpfs?.number("SizeBytes") || undefined,
    mode: tmpfs?.number("Mode") || undefined,
  };
}
