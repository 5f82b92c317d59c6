import type { ContainerState, PublishedPort } from "../../model/container.ts";
import { humanDuration } from "./units.ts";

/** Docker's words for a state: Up 5 minutes (healthy), Exited (0) 2 hours ago. */
export function containerStatus(state: ContainerState, now_ms: number): string {
  const since = (time: string | undefined) => (time === undefined ? "" : humanDuration(now_ms - Date.parse(time)));
  switch (state.status) {
    case "running":
    case "paused": {
      const health =
        state.health && state.health.status !== "none"
          ? ` (${state.health.status === "starting" ? "health: starting" : state.health.status})`
          : "";
      return `Up ${since(state.startedAt)}${state.status === "paused" ? " (Paused)" : health}`;
    }
    case "restarting":
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case "exited":
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case "created":
      return "Created";
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
  }
}

/** 0.0.0.0:8080->80/tcp, and exposed ones without a host side; runs of ports are drawn together. */
export function portList(published: PublishedPort[], exposed: string[]): string {
  const bound = published.map(port => {
    const address = port.hostAddress.includes(":") ? `[${port.hostAddress}]` : port.hostAddress || "0.0.0.0";
    return `${address}:${port.hostPort}->${port.containerPort}/${port.protocol}`;
  });
  const publishedKeys = new Set(published.map(port => `${port.containerPort}/${port.protocol}`));
  return [...bound, ...exposed.filter(port => !publishedKeys.has(port))].join(", ");
}
