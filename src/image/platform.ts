import { BerthError } from "../base/errors.ts";
import type { Descriptor, Platform } from "../model/image.ts";

const architectures: Record<string, Pick<Platform, "architecture" | "variant">> = {
  x64: { architecture: "amd64" },
  x86_64: { architecture: "amd64" },
  "x86-64": { architecture: "amd64" },
  ia32: { architecture: "386" },
  i386: { architecture: "386" },
  aarch64: { architecture: "arm64" },
  armhf: { architecture: "arm", variant: "v7" },
  armel: { architecture: "arm", variant: "v6" },
  ppc64el: { architecture: "ppc64le" },
};
const defaultVariant: Record<string, string> = { arm: "v7", arm64: "v8" };

/** "linux/arm64/v8", "arm64" or "linux", as `--platform` takes them; what is left out is the host's. Throws `invalid`. */
export function parsePlatform(text: string, host: Platform): Platform {
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || parts.some(part => !/^[a-z0-9_.-]+$/.test(part))) {
    throw new BerthError("invalid", `platform ${JSON.stringify(text)} is not os/architecture[/variant]`, {
      hint: "for example linux/amd64 or linux/arm64/v8",
    });
  }
  if (parts.length === 1) {
    const only = parts[0]!;
    if (["linux", "windows", "darwin", "freebsd"].includes(only)) return { ...host, os: only };
    return normalizePlatform({ os: host.os, architecture: only });
  }
  return normalizePlatform({ os: parts[0]!, architecture: parts[1]!, variant: parts[2] });
}

/** One spelling for each architecture; the variant that everybody means is left out. */
export function normalizePlatform(platform: Platform): Platform {
  const known = architectures[platform.architecture] ?? { architecture: platform.architecture };
  const variant = platform.variant || known.variant;
  const { architecture } = known;
  const result: Platform = { os: platform.os, architecture };
  if (platform["os.version"]) result["os.version"] = platform["os.version"];
  if (variant !== undefined && !(architecture === "arm64" && variant === "v8")) result.variant = variant;
  return result;
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join("/");
}

/** Undefined: does not run there. Else lower is better: the exact variant, then the older ones. */
export function platformDistance(wanted: Platform, offered: Platform): number | undefined {
  const want = normalizePlatform(wanted);
  const offer = normalizePlatform(offered);
  if (want.os !== offer.os) return undefined;
  if (want.architecture !== offer.architecture) {
    return want.architecture === "amd64" && offer.architecture === "386" ? 100 : undefined;
  }
  const level = (platform: Platform) =>
    Number((platform.variant ?? defaultVariant[platform.architecture] ?? "v1").replace(/^v/, "")) || 0;
  const distance = level(want) - level(offer);
  return distance < 0 ? undefined : distance;
}

/** The entry of an index to use. Throws `not_found` with what there is instead. */
export function choosePlatform(manifests: Descriptor[], wanted: Platform, what: string): Descriptor {
  const images = manifests.filter(isImageEntry);
  const ranked = images
    .map(entry => ({ entry, distance: entry.platform ? platformDistance(wanted, entry.platform) : 1000 }))
    .filter((item): item is { entry: Descriptor; distance: number } => item.distance !== undefined)
    .sort((a, b) => a.distance - b.distance);
  if (ranked[0] !== undefined) return ranked[0].entry;
  const offered = images.map(({ platform }) => (platform ? formatPlatform(platform) : "unnamed")).join(", ");
  throw new BerthError(
    "not_found",
    `${what} has no image for ${formatPlatform(wanted)}; it offers ${offered || "none"}`,
    {
      hint: "choose one of these with --platform",
    },
  );
}

/** Build attestations lie in the index beside images, marked as of an unknown platform. */
function isImageEntry({ platform, annotations }: Descriptor): boolean {
  return platform?.architecture !== "unknown" && annotations?.["vnd.docker.reference.type"] === undefined;
}
