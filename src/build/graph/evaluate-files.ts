import type { Copy, RunMount } from "../dockerfile/instruction.ts";
import { absolutePath } from "./config.ts";
import type { StageState } from "./stage-state.ts";
import type { CopyStep, StepMountPlan } from "./steps.ts";

const units: Record<string, number> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

function sizeOf(text: string): number | undefined {
  const match = /^(\d{1,15})([kmgt]?)i?b?$/i.exec(text);
  return match ? Number(match[1]) * units[match[2]!.toLowerCase()]! : undefined;
}

/** Docker's rule: a destination that ends in a slash, `.` or `..` is a directory. */
export function destinationPath(text: string, workingDir: string): string {
  const path = absolutePath(text, workingDir);
  const isDirectory = /(^|\/)\.{0,2}$/.test(text);
  return isDirectory && path !== "/" ? `${path}/` : path;
}

export function evaluateCopy(state: StageState, copy: Copy, createdBy: string): CopyStep {
  const { scope } = state;
  const sources = copy.sources.map(source => scope.text(source));
  const text = scope.text(copy.destination);
  const destination = destinationPath(text, state.config.WorkingDir || "/");
  if (sources.length + copy.files.length > 1 && destination !== "/" && !destination.endsWith("/")) {
    throw scope.fail(
      copy.destination,
      `${copy.kind} has several sources, so '${text}' must be a directory`,
      `write ${text}/`,
    );
  }
  const emptySource = copy.sources.find((_, i) => sources[i] === "");
  if (emptySource)
    throw scope.fail(
      emptySource,
      `${copy.kind}: the source '${emptySource.text}' is empty after its variables are put in`,
    );
  if (copy.checksum && sources.length !== 1) throw scope.fail(copy.checksum, "--checksum needs exactly one source");
  return {
    kind: "copy",
    at: copy.at,
    text: copy.text.split("\n", 1)[0]!,
    createdBy,
    isAdd: copy.kind === "ADD",
    from: copy.from === undefined ? { kind: "context", name: "" } : state.source(copy.from, copy.at),
    sources,
    files: copy.files.map(file => ({
      name: file.name,
      text: file.expand ? scope.heredoc({ text: file.text, at: copy.at }) : file.text,
    })),
    destination,
    chown: copy.chown && scope.text(copy.chown),
    chmod: copy.chmod && scope.text(copy.chmod),
    checksum: copy.checksum && scope.text(copy.checksum),
    exclude: copy.exclude.map(pattern => scope.text(pattern)),
    link: copy.link,
    parents: copy.parents,
    keepGit: copy.keepGit,
    unpack: copy.unpack,
  };
}

const truth = (text: string | undefined) => text !== undefined && /^(true|1)$/i.test(text);

/** Defaults of each kind are those of Docker's reference. */
export function evaluateMount(state: StageState, mount: RunMount): StepMountPlan {
  const { scope } = state;
  const field = (name: string): string | undefined => {
    const text = mount.fields[name];
    return text === undefined ? undefined : scope.text({ text, at: mount.at });
  };
  const number = (name: string, fallback: number, base = 10): number => {
    const text = field(name);
    if (text === undefined) return fallback;
    if (!(base === 8 ? /^[0-7]+$/ : /^\d+$/).test(text))
      throw scope.fail({ text, at: mount.at }, `--mount ${name} is '${text}'`);
    return Number.parseInt(text, base);
  };
  const workingDir = state.config.WorkingDir || "/";
  const typed = field("target");
  const from = mount.fields["from"];
  const id = field("id");
  const isFiles = mount.kind === "bind" || mount.kind === "cache";
  const secretName =
    id ?? (mount.kind === "secret" ? (field("source") ?? typed?.split("/").at(-1) ?? field("env") ?? "") : "");
  const env = field("env");
  const secretTarget = env !== undefined && typed === undefined ? "" : `/run/secrets/${secretName.split("/").at(-1)}`;
  const target = typed !== undefined ? absolutePath(typed, workingDir) : mount.kind === "secret" ? secretTarget : "";
  const size = field("size");
  const source = isFiles && from !== undefined ? state.source(from, mount.at) : undefined;
  return {
    kind: mount.kind,
    at: mount.at,
    target,
    source: isFiles ? absolutePath(field("source") ?? "/", "/") : "/",
    from: source ?? (mount.kind === "bind" ? { kind: "context", name: "" } : undefined),
    readOnly: mount.kind === "bind" ? !truth(field("readwrite")) : truth(field("readonly")),
    id: mount.kind === "cache" ? (id ?? target) : mount.kind === "ssh" ? (id ?? "default") : secretName,
    sharing: (field("sharing") ?? "shared") as StepMountPlan["sharing"],
    required: truth(field("required")),
    env,
    mode: mount.fields["mode"] === undefined ? undefined : number("mode", 0, 8),
    uid: number("uid", 0),
    gid: number("gid", 0),
    size_bytes: size === undefined ? undefined : sizeOf(size),
  };
}
