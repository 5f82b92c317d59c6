import { appOf } from "../../src/testing/apps.ts";
import { OneHost } from "./one-host.ts";

/** Brings up one app with so many tasks, and prints how long that took and what memory the process has then. */
const tasks = Number(process.argv[2]);
const began_ms = performance.now();
await using host = new OneHost(1);
await host.boot();
const web = { deploy: { mode: "replicated" as const, replicas: tasks, labels: {} } };
await host.finish(host.apps.up(appOf("big", { web }), { timeout_ms: 3_600_000 }), 3_600_000);
const up_ms = Math.round(performance.now() - began_ms);
process.stdout.write(
  JSON.stringify({
    running: host.running().length,
    up_ms,
    rss_bytes: process.memoryUsage.rss(),
    peak_bytes: process.resourceUsage().maxRSS * 1024,
  }),
);
