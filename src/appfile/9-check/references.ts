import type { ComposeDocument } from "../4-decode/document.ts";
import type { ComposeService } from "../4-decode/service.ts";
import type { Selection } from "../8-resolve/profiles.ts";
import type { Path } from "../node.ts";
import { nearest } from "../suggest.ts";
import type { Report } from "./check.ts";

/** Every service, network, volume, secret, config and model that an enabled service names must be there. */
export function checkReferences(document: ComposeDocument, selection: Selection, report: Report): void {
  for (const [name, service] of Object.entries(selection.enabled)) {
    const needs = (section: "networks" | "volumes" | "secrets" | "configs" | "models", key: string, path: Path) => {
      const known = document[section] ?? {};
      if (Object.hasOwn(known, key)) return;
      const near = nearest(key, Object.keys(known));
      const hint = near ? `did you mean ${near}?` : `declare it under ${section}: at the top`;
      report(["services", name, ...path], `there is no ${section.slice(0, -1)} ${JSON.stringify(key)}`, hint);
    };
    for (const key of Object.keys(service.networks ?? {})) needs("networks", key, ["networks", key]);
    for (const [index, { type, source }] of (service.volumes ?? []).entries()) {
      if (type === "volume" && source) needs("volumes", source, ["volumes", index]);
    }
    for (const [index, { source }] of (service.secrets ?? []).entries()) needs("secrets", source, ["secrets", index]);
    for (const [index, { source }] of (service.configs ?? []).entries()) needs("configs", source, ["configs", index]);
    for (const [index, { source }] of (service.build?.secrets ?? []).entries()) {
      needs("secrets", source, ["build", "secrets", index]);
    }
    if (service.credential_spec?.config)
      needs("configs", service.credential_spec.config, ["credential_spec", "config"]);
    for (const key of Object.keys(service.models ?? {})) needs("models", key, ["models", key]);
    checkServices(name, service, selection, report);
  }
}

function checkServices(name: string, service: ComposeService, { enabled, disabled }: Selection, report: Report): void {
  for (const [other, { required }] of Object.entries(service.depends_on ?? {})) {
    if (Object.hasOwn(enabled, other)) continue;
    const path = ["services", name, "depends_on", other];
    if (!Object.hasOwn(disabled, other)) {
      const near = nearest(other, [...Object.keys(enabled), ...Object.keys(disabled)]);
      report(
        path,
        `there is no service ${JSON.stringify(other)}`,
        near && near !== name ? `did you mean ${near}?` : undefined,
      );
    } else if (required !== false) {
      const profiles = (disabled[other]!.profiles ?? []).join(", ");
      report(
        path,
        `it depends on ${other}, which none of the active profiles enables`,
        `activate one of its profiles (${profiles}) with --profile, or say required: false`,
      );
    }
  }
  for (const [context, target] of Object.entries(service.build?.additional_contexts ?? {})) {
    const other = /^service:(.*)$/.exec(target)?.[1];
    if (other === undefined || Object.hasOwn(enabled, other) || Object.hasOwn(disabled, other)) continue;
    report(["services", name, "build", "additional_contexts", context], `there is no service ${JSON.stringify(other)}`);
  }
}

/** Dependencies must not go round. Each round is told once, as a -> b -> a. */
export function checkCycles(services: Record<string, ComposeService>, report: Report): void {
  const state = new Map<string, "open" | "done">();
  for (const start of Object.keys(services)) {
    // A stack of its own: a chain of thousands of services is legal.
    const stack: { name: string; next: string[] }[] = [];
    const open = (name: string) => {
      state.set(name, "open");
      stack.push({ name, next: Object.keys(services[name]?.depends_on ?? {}) });
    };
    if (!state.has(start)) open(start);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const other = top.next.pop();
      if (other === undefined) {
        state.set(top.name, "done");
        stack.pop();
      } else if (state.get(other) === "open") {
        const names = stack.map(({ name }) => name);
        const round = [...names.slice(names.indexOf(other)), other];
        report(["services", top.name, "depends_on", other], `the services depend on each other: ${round.join(" -> ")}`);
      } else if (!state.has(other) && Object.hasOwn(services, other)) open(other);
    }
  }
}
