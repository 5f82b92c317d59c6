import type { Image } from "../../model/image.ts";

/** docker.io/library/redis:7 as people write it: redis:7. */
export function familiarName(name: string): string {
  return name.replace(/^docker\.io\/(library\/)?/, "");
}

/** Repository and tag as two columns; `<none>` for an image without a name. */
export function splitName(name: string): { Repository: string; Tag: string } {
  if (name === "") return { Repository: "<none>", Tag: "<none>" };
  const familiar = familiarName(name);
  const colon = familiar.lastIndexOf(":");
  const hasTag = colon > familiar.lastIndexOf("/");
  return {
    Repository: hasTag ? familiar.slice(0, colon) : familiar,
    Tag: hasTag ? familiar.slice(colon + 1) : "latest",
  };
}

/** Whether an image's name is meant by a pattern: repository, repository:tag, with * as docker's reference filter has it. */
export function matchesReference(name: string, pattern: string): boolean {
  const { Repository, Tag } = splitName(name);
  const wanted = familiarName(pattern);
  const expression = new RegExp(
    `^${wanted
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replace(/\*/g, "[^/]*")
      .replace(/\?/g, "[^/]")}$`,
  );
  return expression.test(Repository) || expression.test(`${Repository}:${Tag}`);
}

/** docker images' own filters: dangling, reference, label. Unknown keys keep everything. */
export function keepImage(image: Image, filters: string[]): boolean {
  return filters.every(filter => {
    const [key = "", ...rest] = filter.split("=");
    const value = rest.join("=");
    if (key === "dangling") return (image.tags.length === 0) === (value === "true" || value === "1");
    if (key === "reference") return image.tags.some(tag => matchesReference(tag, value));
    if (key !== "label") return true;
    const [label = "", ...wanted] = value.split("=");
    const actual = image.config.config?.Labels?.[label];
    return actual !== undefined && (wanted.length === 0 || actual === wanted.join("="));
  });
}
