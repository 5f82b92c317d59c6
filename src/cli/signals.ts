import type { CliContext, CliEngine } from "./context.ts";

const forwarded: NodeJS.Signals[] = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGWINCH",
  "SIGCONT",
];

/** Passes signals that reach this program on to the container, as docker's --sig-proxy. Returns how to stop. */
export function forwardSignals(context: CliContext, engine: CliEngine, id: string): () => void {
  const stops = forwarded.map(name =>
    context.onSignal(name, () => {
      // A container that has just ended cannot take it, and that is all right.
      engine.containers.kill(id, name).catch(() => undefined);
    }),
  );
  return () => {
    for (const stop of stops) stop();
  };
}
