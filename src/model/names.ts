/** Names that users meet, made in one place. */

/** As docker compose v2 names containers. */
export function containerName(app: string, service: string, number: number): string {
  return `${app}-${service}-${number}`;
}

/** DNS name of one task in its networks. */
export function taskHostName(service: string, number: number): string {
  return `${service}-${number}`;
}

/** Name of the image that `build` makes where the service gives none (Compose Specification, build section). */
export function builtImageName(app: string, service: string): string {
  return `${app}-${service}`;
}
