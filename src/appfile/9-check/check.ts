import type { ComposeDocument } from "../4-decode/document.ts";
import type { Selection } from "../8-resolve/profiles.ts";
import { type MapNode, markAt, type Path } from "../node.ts";
import type { Problems } from "../problems.ts";
import { checkCycles, checkReferences } from "./references.ts";
import { checkResources } from "./resources.ts";
import { checkService } from "./service.ts";

/** Reports a problem at a path of the document, with the file and line that the path came from. */
export type Report = (path: Path, message: string, hint?: string) => void;

export function reporter(problems: Problems, model: MapNode): Report {
  return (path, message, hint) => problems.add(markAt(model, path), path, message, hint);
}

/** What the shapes cannot see: rules between keys, and between services and what they refer to. Only enabled services count. */
export function check(document: ComposeDocument, selection: Selection, report: Report): void {
  const { enabled } = selection;
  for (const [name, service] of Object.entries(enabled)) {
    checkService(service, (path, message, hint) => report(["services", name, ...path], message, hint));
  }
  checkReferences(document, selection, report);
  checkCycles(enabled, report);
  checkResources(document, report);
  const containers = new Map<string, string>();
  for (const [name, { container_name: container }] of Object.entries(enabled)) {
    if (container === undefined) continue;
    const other = containers.get(container);
    if (other !== undefined)
      report(["services", name, "container_name"], `the service ${other} has this container name, too`);
    containers.set(container, name);
  }
}
