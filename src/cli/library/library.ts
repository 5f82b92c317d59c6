import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BerthError } from "../../base/errors.ts";

/** How an image proves that it runs: check/check.sh is run in a container of it, again and again until it succeeds. */
export interface ImageCheck {
  /** Absent: the image's own. */
  command?: string[];
  env?: string[];
  /** Folder inside of the check's own -> path in the container. The whole is at /check. */
  mounts?: Record<string, string>;
  /** What a plain stop may end with; default 0. */
  exitCodes?: number[];
}

export interface LibraryImage {
  name: string;
  /** Made from Debian's packages where it is missing: what the Dockerfile is FROM. */
  bootstrap: string;
  tags: string[];
  check: ImageCheck;
}

/** The images of a folder with a library.json, in its order; `names` picks some. Throws `invalid` or `not_found`. */
export function readLibrary(directory: string, names: string[]): LibraryImage[] {
  const path = join(directory, "library.json");
  const images = parse(path);
  const strange = names.find(name => !images.some(image => image.name === name));
  if (strange !== undefined)
    throw new BerthError("not_found", `${path} has no image "${strange}"`, {
      hint: `there are ${images.map(image => image.name).join(", ")}`,
    });
  return names.length === 0 ? images : images.filter(image => names.includes(image.name));
}

function parse(path: string): LibraryImage[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new BerthError("not_found", `reading ${path}: ${(cause as Error).message}`, {
      cause,
      hint: "name the folder of the Dockerfiles with --from DIR",
    });
  }
  try {
    const { images } = JSON.parse(text) as { images: LibraryImage[] };
    for (const { name, bootstrap, tags, check } of images) {
      if (!/^[a-z0-9][a-z0-9._-]*$/.test(name) || !bootstrap || !(tags.length > 0) || typeof check !== "object")
        throw new Error(`image "${name}" needs name, bootstrap, tags and check`);
    }
    return images;
  } catch (cause) {
    throw new BerthError("invalid", `${path}: ${(cause as Error).message}`, { cause });
  }
}

/** All names that an image gets here, under the prefix; the name of its own base is left to that. */
export function localNames({ name, tags, bootstrap }: LibraryImage, prefix: string): string[] {
  return tags.map(tag => `${prefix}${name}:${tag}`).filter(full => full !== bootstrap);
}

/** Names in a registry, which may be followed by a path: "registry.example.com/library". */
export function registryNames({ name, tags }: LibraryImage, registry: string): string[] {
  return tags.map(tag => `${registry.replace(/\/+$/, "")}/${name}:${tag}`);
}
