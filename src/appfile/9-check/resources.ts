import type { ComposeDocument } from "../4-decode/document.ts";
import type { Report } from "./check.ts";

/** Rules between the keys of networks, volumes, secrets and configs. */
export function checkResources(document: ComposeDocument, report: Report): void {
  for (const section of ["networks", "volumes", "secrets", "configs"] as const) {
    for (const [key, item] of Object.entries(document[section] ?? {})) {
      if (!item.external) continue;
      const other = Object.keys(item).find(each => !["name", "external"].includes(each) && !each.startsWith("x-"));
      if (other !== undefined)
        report([section, key, other], `what is external is made by somebody else: ${other} does not apply`);
    }
  }
  for (const [key, secret] of Object.entries(document.secrets ?? {})) {
    one(
      ["secrets", key],
      {
        file: secret.file,
        environment: secret.environment,
        driver: secret.driver,
        external: secret.external || undefined,
      },
      report,
    );
  }
  for (const [key, config] of Object.entries(document.configs ?? {})) {
    const { file, environment, content } = config;
    one(["configs", key], { file, environment, content, external: config.external || undefined }, report);
  }
}

function one(path: string[], origins: Record<string, unknown>, report: Report): void {
  const all = Object.keys(origins);
  const given = all.filter(key => origins[key] !== undefined);
  if (given.length === 1) return;
  const wanted = `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
  if (given.length === 0) report(path, `it has no content: one of ${wanted} is needed`);
  else report(path, `${given.join(" and ")} exclude each other`);
}
