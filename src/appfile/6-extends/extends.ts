import { posix } from "node:path";
import { isRemote } from "../4-decode/paths.ts";
import { service } from "../4-decode/service.ts";
import { decodeChild } from "../4-decode/shape.ts";
import { mergeNodes } from "../7-merge/merge-nodes.ts";
import { sizeOf } from "../budget.ts";
import { limits } from "../limits.ts";
import { childOf, type MapNode, type Node, textOf, without } from "../node.ts";
import { fail } from "../problems.ts";
import { decoder, type Scope } from "../scope.ts";
import { nearest } from "../suggest.ts";

type Read = (path: string, scope: Scope) => Node[];

/** Where services are looked up by name: a decoded model, or another file. */
interface Place {
  /** "" for the document at hand. */
  file: string;
  service(name: string): Node | undefined;
  names(): string[];
}

/**
 * The document with every `extends` carried out: the other service, and over it what this one says. `earlier` is what the files before
 * this one made; a service that this document does not have is looked for there.
 */
export function applyExtends(local: MapNode, earlier: MapNode | undefined, scope: Scope, read: Read): MapNode {
  const services = local.entries.get("services");
  if (services?.value.kind !== "map") return local;
  const names = (model: Node | undefined) => [...mapOrEmpty(childOf(model, "services")).keys()];
  const here: Place = {
    file: "",
    service: name => childOf(childOf(local, "services"), name) ?? childOf(childOf(earlier, "services"), name),
    names: () => [...names(local), ...names(earlier)],
  };
  const resolver = new Resolver(scope, read);
  const entries = new Map(services.value.entries);
  for (const [name, { at, value }] of entries) {
    if (childOf(value, "extends")) entries.set(name, { at, value: resolver.resolve(here, name, value, []) });
  }
  const value: Node = { ...services.value, entries };
  return { ...local, entries: new Map(local.entries).set("services", { at: services.at, value }) };
}

const mapOrEmpty = (node: Node | undefined): Map<string, unknown> => (node?.kind === "map" ? node.entries : new Map());

class Resolver {
  readonly #scope: Scope;
  readonly #read: Read;
  readonly #done = new Map<string, Node>();
  readonly #places = new Map<string, Place>();

  constructor(scope: Scope, read: Read) {
    this.#scope = scope;
    this.#read = read;
  }

  resolve(place: Place, name: string, node: Node, trail: readonly string[]): Node {
    const key = `${place.file}\0${name}`;
    const known = this.#done.get(key);
    if (known) return known;
    const step = place.file === "" ? name : `${name} in ${place.file}`;
    const path = ["services", name, "extends"];
    if (trail.includes(step)) fail(node.at, path, `the services extend each other: ${[...trail, step].join(" -> ")}`);
    if (trail.length >= limits.nesting) fail(node.at, path, `extends are nested more than ${limits.nesting} deep`);
    const result = this.#extend(place, name, node, [...trail, step]);
    this.#scope.budget.spend(sizeOf(result), 0, node.at);
    this.#done.set(key, result);
    return result;
  }

  #extend(place: Place, name: string, node: Node, trail: readonly string[]): Node {
    const given = childOf(node, "extends");
    if (node.kind !== "map" || !given) return node;
    const own = without(node, "extends");
    const base = this.#base(place, name, given, trail);
    return base ? { ...mergeNodes(service, base, { ...own, directive: undefined }), directive: node.directive } : own;
  }

  #base(place: Place, name: string, given: Node, trail: readonly string[]): Node | undefined {
    const wanted = textOf(childOf(given, "service"));
    const file = textOf(childOf(given, "file"));
    const path = ["services", name, "extends"];
    const { problems } = this.#scope;
    if (wanted === undefined) {
      problems.add(given.at, path, "extends needs the key service");
      return undefined;
    }
    if (file !== undefined && isRemote(file)) {
      problems.add(given.at, path, `${file} is not on this host; Berth extends from files only`, "fetch it first");
      return undefined;
    }
    if (file !== undefined && !this.#scope.reader.read(file)) {
      problems.add(given.at, path, `there is no file ${file}`);
      return undefined;
    }
    const from = file === undefined || file === place.file ? place : this.#placeOf(file);
    const base = from.service(wanted);
    if (base) return this.resolve(from, wanted, base, trail);
    const near = nearest(wanted, from.names());
    const where = from.file === "" ? "" : ` in ${from.file}`;
    problems.add(
      given.at,
      path,
      `there is no service ${JSON.stringify(wanted)}${where}`,
      near && `did you mean ${near}?`,
    );
    return undefined;
  }

  /** Another file; only the services asked for are decoded, their paths from its directory. */
  #placeOf(file: string): Place {
    const known = this.#places.get(file);
    if (known) return known;
    const documents = this.#read(file, this.#scope);
    const decoded = new Map<string, Node | undefined>();
    const place: Place = {
      file,
      names: () => documents.flatMap(each => [...mapOrEmpty(childOf(each, "services")).keys()]),
      service: name => {
        if (!decoded.has(name)) decoded.set(name, this.#decode(documents, name, posix.dirname(file)));
        return decoded.get(name);
      },
    };
    this.#places.set(file, place);
    return place;
  }

  #decode(documents: Node[], name: string, directory: string): Node | undefined {
    let merged: Node | undefined;
    for (const document of documents) {
      const node = childOf(childOf(document, "services"), name);
      const to = decoder(this.#scope, directory);
      to.path.push("services");
      const decoded = node && decodeChild(service, name, node, to);
      if (decoded) merged = merged ? mergeNodes(service, merged, decoded) : decoded;
    }
    return merged;
  }
}
