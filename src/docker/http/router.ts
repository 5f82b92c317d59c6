import { BerthError } from "../../base/errors.ts";
import { negotiated } from "./api-version.ts";
import type { Operation } from "./operation.ts";

interface Route {
  operation: Operation;
  pattern: RegExp;
  names: string[];
}

export interface Target {
  operation: Operation;
  params: Record<string, string>;
  query: URLSearchParams;
  version: number;
}

/** Finds the operation for a request line: any /vX.Y prefix or none, fixed paths before those with a name in them. */
export class Router {
  readonly #routes = new Map<string, Route[]>();

  constructor(operations: Operation[]) {
    const fixedFirst = [...operations].sort((a, b) => Number(a.path.includes("{")) - Number(b.path.includes("{")));
    for (const operation of fixedFirst) {
      const list = this.#routes.get(operation.method) ?? [];
      list.push(route(operation));
      this.#routes.set(operation.method, list);
    }
  }

  find(method: string, url: string): Target {
    const cut = url.indexOf("?");
    const path = cut < 0 ? url : url.slice(0, cut);
    const prefixed = /^\/v(\d+\.\d+)(\/.*)$/.exec(path);
    const version = negotiated(prefixed?.[1]);
    const bare = (prefixed?.[2] ?? path).replace(/(.)\/$/, "$1");
    for (const { operation, pattern, names } of this.#routes.get(method) ?? []) {
      const match = pattern.exec(bare);
      if (match === null) continue;
      const params = Object.fromEntries(names.map((name, index) => [name, decode(match[index + 1] ?? "")]));
      return { operation, params, query: new URLSearchParams(cut < 0 ? "" : url.slice(cut + 1)), version };
    }
    throw new BerthError("not_found", `page not found: ${method} ${bare.slice(0, 200)}`);
  }
}

/** Image names have slashes in them; ids have not. */
function route(operation: Operation): Route {
  const names: string[] = [];
  const source = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    names.push(name);
    return name === "name" ? "(.+)" : "([^/]+)";
  });
  return { operation, pattern: new RegExp(`^${source}$`), names };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new BerthError("invalid", `the path has a malformed escape: ${text.slice(0, 200)}`, { cause });
  }
}
