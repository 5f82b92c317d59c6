/**
 * A process of the engine for tests: `node engine-process.ts ROOT RUN INSTANCE VERB ARGUMENT…`. Takes the part of berth-engine (on-exit, keep) and of berthd
 * (supervise), and runs single operations, so that tests can kill it in the middle of them.
 */
import { openEngine, plainSpec } from "./harness.ts";

const [root = "", run = "", instance = "", verb = "", ...rest] = process.argv.slice(2);
const { engine } = openEngine({ root, run, instance, debug: false });
const [id = ""] = rest;
const verbs: Record<string, () => Promise<unknown>> = {
  "on-exit": () => engine.onExit(id),
  keep: () => engine.keep(id),
  supervise: () =>
    engine.supervise({ signal: new AbortController().signal, onReady: () => process.stdout.write("ready\n") }),
  create: () => engine.containers.create(plainSpec(JSON.parse(id))),
  start: () => engine.containers.start(id),
  stop: () => engine.containers.stop(id, { timeout_ms: 0 }),
  remove: () => engine.containers.remove(id, { force: true, volumes: true }),
};
try {
  await verbs[verb]?.();
} catch (thrown) {
  process.stderr.write(`${thrown}\n`);
  process.exitCode = 1;
}
