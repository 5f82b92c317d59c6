/**
 * A process of the engine for tests: `node engine-process.ts ROOT RUN INSTANCE VERB [ID]`. Takes the part of berth-engine (on-exit, keep) and of berthd
 * (supervise), and does operations that it is told on stdin (serve), so that a test can kill it in the middle of one.
 */
import { createInterface } from "node:readline";
import { openEngine, plainSpec } from "./harness.ts";

const [root = "", run = "", instance = "", verb = "", id = ""] = process.argv.slice(2);
const { engine } = openEngine({ root, run, instance, debug: false });
const { containers } = engine;

const operations: Record<string, (argument: string) => Promise<unknown>> = {
  create: spec => containers.create(plainSpec(JSON.parse(spec))),
  start: reference => containers.start(reference),
  stop: reference => containers.stop(reference, { timeout_ms: 0 }),
  remove: reference => containers.remove(reference, { force: true, volumes: true }),
};

/** A line of JSON in, a list of `[operation, argument]` to do at once; a line out when all are done, or have failed. */
async function serve(): Promise<void> {
  process.stdout.write("ready\n");
  for await (const line of createInterface(process.stdin)) {
    const wanted = JSON.parse(line) as [string, string][];
    await Promise.allSettled(wanted.map(([operation, argument]) => operations[operation]?.(argument)));
    process.stdout.write("done\n");
  }
}

const verbs: Record<string, () => Promise<unknown>> = {
  serve,
  "on-exit": () => engine.onExit(id),
  keep: () => engine.keep(id),
  supervise: () =>
    engine.supervise({ signal: new AbortController().signal, onReady: () => process.stdout.write("ready\n") }),
};
await verbs[verb]?.();
