import { containerCases } from "./cases/containers.ts";
import { imageCases } from "./cases/images.ts";
import { memoryCases } from "./cases/memory.ts";
import { registryCases } from "./cases/registry.ts";
import { runtimeCases } from "./cases/runtime.ts";
import type { Result } from "./lib/measure.ts";
import { giveBusybox, type Peer, startBerth, startDocker } from "./lib/peers.ts";

/** `npm run bench [-- NAME…]`: side-by-side tables against what is installed, in interleaved runs on this machine. */
const groups: Record<string, (docker: Peer, berth: Peer) => Promise<Result[]>> = {
  memory: memoryCases,
  containers: containerCases,
  runtime: runtimeCases,
  images: imageCases,
  registry: registryCases,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter(name => !(name in groups));
if (unknown.length > 0) {
  console.error(`no such group: ${unknown.join(", ")}; there are ${Object.keys(groups).join(", ")}`);
  process.exit(1);
}

await using docker = await startDocker();
await using berth = await startBerth();
await giveBusybox(docker, berth);
const results: Result[] = [];
for (const [name, run] of Object.entries(groups)) {
  if (wanted.length === 0 || wanted.includes(name)) results.push(...(await run(docker, berth)));
}
const missed = results.filter(result => result.held === false);
console.log(
  `\n${results.filter(result => result.held).length} bars held, ${missed.length} missed${missed.map(result => `\n  missed: ${result.title}`).join("")}`,
);
if (missed.length > 0) process.exitCode = 2;
