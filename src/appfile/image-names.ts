import type { App } from "../model/app.ts";
import type { Service } from "../model/service.ts";

/** The image that a service runs: the one that it names, else the one that its build makes. */
export function imageName(app: Pick<App, "name">, service: Pick<Service, "name" | "image">): string {
  return service.image ?? `${app.name}-${service.name}`;
}

/** Images of all enabled services; those of providers have none. */
export function imageNames(app: App): string[] {
  return Object.values(app.services)
    .filter(({ provider }) => !provider)
    .map(service => imageName(app, service));
}
