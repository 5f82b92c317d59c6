import { describe, expect, it } from "vitest";
import type { App } from "../../src/model/app.ts";
import type { Service } from "../../src/model/service.ts";
import { hasStopped } from "../../src/model/task.ts";
import type { AppEvent } from "../../src/ports/apps.ts";
import { appOf, dependency } from "../../src/testing/apps.ts";
import type { Behaviour } from "../../src/testing/engine.ts";
import { OneHost } from "./one-host.ts";

/**
 * kill -9 of berthd before and after every single effect on the store and on the engine, during `up`, a rolling replace and `down`. After the next start, and
 * the user's second try where the first was not accepted, everything is as wanted: nothing ran twice, nothing is left over.
 */
const healthy = dependency({ condition: "service_healthy" });
const volumes: App["volumes"] = {
  data: { name: "shop_data", external: false, options: {}, labels: {}, extensions: {} },
};
const services = (web: Partial<Service>): Record<string, Partial<Service>> => ({
  db: { image: "db:1", mounts: [{ type: "volume", source: "data", target: "/data" }] },
  migrate: { image: "migrate:1", dependsOn: { db: healthy } },
  web: {
    image: "web:1",
    deploy: { mode: "replicated", replicas: 2, labels: {} },
    dependsOn: { db: healthy, migrate: dependency({ condition: "service_completed_successfully" }) },
    ...web,
  },
});
const first = appOf("shop", services({}), { volumes });
const second = appOf("shop", services({ image: "web:2" }), { volumes });
const behaviours: Record<string, Behaviour> = {
  "db:1": { health: { after_ms: 300, status: "healthy" } },
  "migrate:1": { exits: { after_ms: 200, code: 0 } },
};

interface Phase {
  name: string;
  prepare: (host: OneHost) => Promise<void>;
  act: (host: OneHost) => AsyncIterable<AppEvent>;
  /** Whether what the user asked for was accepted before the crash. */
  accepted: (host: OneHost) => boolean;
  check: (host: OneHost) => void;
}

const versionOf = (host: OneHost) => host.control.mirror.state.apps.get("shop")?.version;
const up = (host: OneHost, image: string) => {
  expect(host.running()).toEqual(["shop-db-1", "shop-web-1", "shop-web-2"]);
  const images = host.world.running().map(({ spec }) => spec.image);
  expect(images.sort()).toEqual(["db:1", image, image]);
  expect([...host.world.containers.values()].map(({ name }) => name).sort()).toEqual([
    "shop-db-1",
    "shop-migrate-1",
    "shop-web-1",
    "shop-web-2",
  ]);
  expect([...host.world.networks.keys()]).toEqual(["shop_default"]);
  expect([...host.world.volumes.keys()]).toEqual(["shop_data"]);
};

const phases: Phase[] = [
  {
    name: "up",
    prepare: async () => {},
    act: host => host.apps.up(first, { waitForOthers: true }),
    accepted: host => versionOf(host) === 1,
    check: host => up(host, "web:1"),
  },
  {
    name: "rolling replace",
    prepare: async host => void (await host.finish(host.apps.up(first))),
    act: host => host.apps.up(second, { waitForOthers: true }),
    accepted: host => versionOf(host) === 2,
    check: host => up(host, "web:2"),
  },
  {
    name: "down",
    prepare: async host => void (await host.finish(host.apps.up(first))),
    act: host => host.apps.down("shop"),
    accepted: host => host.control.mirror.state.apps.get("shop")?.wanted === "removed",
    check: host => {
      expect([...host.world.containers.values()]).toEqual([]);
      expect([...host.world.networks.keys()]).toEqual([]);
      expect([...host.world.volumes.keys()]).toEqual(["shop_data"]);
    },
  },
];

/** The store agrees with the world: no task is between two states, and no record is left of what is gone. */
function isQuiet(host: OneHost): boolean {
  const { state } = host.control.mirror;
  const record = state.apps.get("shop");
  if (record?.wanted === "removed") return Object.keys(record.services).length === 0 && state.tasks.size === 0;
  const rolling = [...state.rollouts.values()].some(rollout => rollout.state === "updating");
  const going = [...state.tasks.values()].some(
    task => (task.wanted === "ready" || task.wanted === "removed") && !hasStopped(task, state.statuses.get(task.id)),
  );
  const outcome = [...state.outcomes.values()].at(-1);
  return !rolling && !going && outcome?.state === "succeeded";
}

async function run(
  phase: Phase,
  seed: number,
  failAt: number,
): Promise<{ steps: number; log: string[]; killed: boolean }> {
  await using host = new OneHost(seed, { behaviours });
  await host.boot();
  await phase.prepare(host);
  await host.until(() => isQuiet(host) || host.control.mirror.state.apps.size === 0);
  host.kill();
  await host.boot({ failAt });
  const before = host.power.steps;
  const followed = host.follow(phase.act(host));
  await host.until(() => followed.done || !host.power.alive);
  if (host.power.alive) await host.until(() => isQuiet(host) || !host.power.alive);
  if (followed.error) throw followed.error;
  const { steps, log } = host.power;
  const killed = !host.power.alive;
  if (killed) {
    await host.boot();
    if (!phase.accepted(host)) await host.finish(phase.act(host));
    await host.until(() => isQuiet(host));
  }
  phase.check(host);
  expect(host.world.violations).toEqual([]);
  // And it stays so.
  host.world.journal.length = 0;
  await host.clock.advance(30_000);
  expect(host.world.journal).toEqual([]);
  return { steps: steps - before, log, killed };
}

/** Over all phases: instants at which berthd was killed. */
let killPoints = 0;

describe.each(phases)("kill -9 during $name", phase => {
  it("is made good by the next start, at every step", { timeout: 300_000 }, async () => {
    const { steps, log } = await run(phase, 0, 0);
    expect(steps).toBeGreaterThan(30);
    // Up to the first run that comes to its end before it would be killed.
    for (let failAt = 1, killed = true; killed; failAt++) {
      try {
        ({ killed } = await run(phase, failAt, failAt));
        if (killed) killPoints++;
      } catch (thrown) {
        throw new Error(`seed ${failAt}, killed at step ${failAt} (${log[failAt - 1]})`, { cause: thrown });
      }
    }
  });
});

it("happened at 200 instants at least", () => {
  process.stderr.write(`kill -9 of berthd at ${killPoints} instants, all made good\n`);
  expect(killPoints).toBeGreaterThanOrEqual(200);
});
