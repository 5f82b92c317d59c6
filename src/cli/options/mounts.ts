import { isAbsolute, resolve } from "node:path";
import { BerthError } from "../../base/errors.ts";
import type { MountSpec, MountType, Propagation } from "../../model/container.ts";
import { parseSize } from "../output/units.ts";

const propagations = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"]);

/** Docker's -v: [SOURCE:]TARGET[:OPTIONS]. A source with a slash (or . and ~) is a host path, else a volume's name. */
export function parseVolume(text: string, cwd: string): MountSpec {
  const parts = text.split(":");
  if (parts.length > 3 || parts.some(part => part === "")) throw badMount(text, "it reads [SOURCE:]TARGET[:OPTIONS]");
  const [source, target, options] = parts.length === 1 ? [undefined, parts[0]!, undefined] : parts;
  if (!isAbsolute(target!)) throw badMount(text, `the target "${target}" must be an absolute path in the container`);
  const isPath = source !== undefined && /^[./~]/.test(source);
  const mount: MountSpec = isPath
    ? { type: "bind", source: resolve(cwd, source), target: target!, createHostPath: true }
    : { type: "volume", source: source ?? "", target: target! };
  for (const option of options?.split(",") ?? []) applyVolumeOption(mount, option, text);
  return mount;
}

function applyVolumeOption(mount: MountSpec, option: string, text: string): void {
  if (option === "ro") mount.readOnly = true;
  else if (option === "nocopy") mount.noCopy = true;
  else if (propagations.has(option)) mount.propagation = option as Propagation;
  // z and Z relabel for SELinux, which matters only where it is on; consistency words are macOS's.
  else if (!["rw", "z", "Z", "cached", "delegated", "consistent", "rbind", "bind", "copy"].includes(option)) {
    throw badMount(text, `"${option}" is no option`);
  }
}

const booleanText = (value: string | undefined) => value === undefined || value === "true" || value === "1";

type Apply = (mount: MountSpec, value: string | undefined, cwd: string) => void;

const readOnly: Apply = (mount, value) => void (mount.readOnly = booleanText(value));
const target: Apply = (mount, value) => void (mount.target = value ?? "");
const source: Apply = (mount, value) => void (mount.source = value ?? "");
const subpath: Apply = (mount, value) => void (mount.subpath = value);

const keys: Record<string, Apply> = {
  source,
  src: source,
  target,
  dst: target,
  destination: target,
  readonly: readOnly,
  ro: readOnly,
  "bind-propagation": (mount, value) => void (mount.propagation = value as Propagation),
  "bind-nonrecursive": (mount, value) => void (mount.nonRecursive = booleanText(value)),
  "bind-create-src": (mount, value) => void (mount.createHostPath = booleanText(value)),
  "volume-nocopy": (mount, value) => void (mount.noCopy = booleanText(value)),
  "volume-subpath": subpath,
  "image-subpath": subpath,
  "volume-driver": (mount, value) => void (mount.driver = value),
  "volume-opt": (mount, value) => {
    const [key = "", rest = ""] = splitOnce(value ?? "", "=");
    mount.driverOptions = { ...mount.driverOptions, [key]: rest };
  },
  "volume-label": (mount, value) => {
    const [key = "", rest = ""] = splitOnce(value ?? "", "=");
    mount.labels = { ...mount.labels, [key]: rest };
  },
  "tmpfs-size": (mount, value) => void (mount.size_bytes = parseSize(value ?? "", "--mount tmpfs-size")),
  "tmpfs-mode": (mount, value) => void (mount.mode = Number.parseInt(value ?? "", 8)),
};

/** Docker's --mount: type=…,source=…,target=… with the options of that type. */
export function parseMount(text: string, cwd: string): MountSpec {
  const mount: MountSpec = { type: "volume", target: "" };
  for (const pair of splitCsv(text)) {
    const [key = "", value] = splitOnce(pair, "=");
    if (key === "type") {
      if (!["bind", "volume", "tmpfs", "image"].includes(value ?? ""))
        throw badMount(text, `type "${value}" is none of bind, volume, tmpfs, image`);
      mount.type = value as MountType;
    } else if (Object.hasOwn(keys, key)) keys[key]!(mount, value, cwd);
    else throw badMount(text, `"${key}" is no option; known are ${["type", ...Object.keys(keys)].join(", ")}`);
  }
  if (!isAbsolute(mount.target)) throw badMount(text, "target= must be an absolute path in the container");
  if (mount.type === "bind") {
    if (!mount.source) throw badMount(text, "a bind needs source=");
    mount.source = resolve(cwd, mount.source);
  }
  return mount;
}

/** Docker's --tmpfs: TARGET[:OPTIONS]. */
export function parseTmpfs(text: string): MountSpec {
  const [path = "", options] = splitOnce(text, ":");
  return { type: "tmpfs", target: path, options: options?.split(",") };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Comma-separated, where a field may stand in double quotes. */
function splitCsv(text: string): string[] {
  return [...text.matchAll(/"((?:[^"]|"")*)"|([^,]+)/g)].map(match => (match[1] ?? match[2]!).replace(/""/g, '"'));
}

function badMount(text: string, why: string): BerthError {
  return new BerthError("invalid", `mount "${text}": ${why}`, {
    hint: "for example -v data:/var/lib/data, -v ./site:/srv:ro or --mount type=tmpfs,target=/run",
  });
}
