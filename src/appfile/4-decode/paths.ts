import { posix } from "node:path";
import { scalar } from "../node.ts";
import { type Decoder, type Shape, wrong } from "./shape.ts";

/** An absolute path out of one that starts at the file's directory or at the user's home ("~"). */
export function absolutePath(
  path: string,
  { directory, homeDirectory }: Pick<Decoder, "directory" | "homeDirectory">,
): string {
  if ((path === "~" || path.startsWith("~/")) && homeDirectory !== undefined)
    return posix.join(homeDirectory, path.slice(1));
  return posix.resolve(directory, path);
}

/** What names no path on this host: URLs, Git and image references, other services, `host:path` of Git over SSH. */
export function isRemote(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(text) || /^(github\.com\/|git@)/.test(text);
}

function pathShape(expected: string, keep: (text: string) => boolean): Shape<string> {
  return {
    expected,
    decode(node, to) {
      if (node.kind !== "scalar" || typeof node.value !== "string" || node.value.includes("\0"))
        return wrong(node, to, expected);
      return keep(node.value) ? node : scalar(absolutePath(node.value, to), node.at);
    },
  };
}

/** A path on the host; canonical: absolute. */
export const hostPath = pathShape("text: a path", text => text === "");
/** A path on the host, or something remote. */
export const pathOrRemote = pathShape("text: a path or a URL", text => text === "" || isRemote(text));
