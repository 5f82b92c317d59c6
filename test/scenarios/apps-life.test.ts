import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { App } from "../../src/model/app.ts";
import type { Service } from "../../src/model/service.ts";
import { appOf } from "../../src/testing/apps.ts";
import { type AppsHost, all, makeAppsHost } from "./apps-fixture.ts";

const sleeper: Partial<Service> = {
  image: "busybox",
  command: ["sleep", "1000"],
  init: true,
  stopGracePeriod_ms: 2000,
};

describe("apps on a real engine", () => {
  let at: AppsHost;
  beforeAll(async () => {
    at = await makeAppsHost();
  });
  afterAll(() => at[Symbol.asyncDispose]());

  const containers = async (app: string) =>
    at.host.engine.containers.list({ all: true, filters: { label: [`com.docker.compose.project=${app}`] } });
  const names = async (app: string) => (await containers(app)).map(({ name }) => name).sort();
  const up = (app: App, options = {}) => all(at.berthd.apps.up(app, { timeout_ms: 60_000, ...options }));
  const down = (name: string, options = {}) => all(at.berthd.apps.down(name, { timeout_ms: 60_000, ...options }));

  it("20 services come up, nothing to do does nothing, and all go", async () => {
    const app = appOf("many", Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`s${i}`, sleeper])));
    const times: Record<string, number> = {};
    const timed = async (what: string, work: () => Promise<unknown>) => {
      const begun_ms = performance.now();
      await work();
      times[what] = Math.round(performance.now() - begun_ms);
    };
    await timed("up", () => up(app));
    expect(await names("many")).toHaveLength(20);
    await timed("nothing", () => up(app));
    await timed("down", () => down("many"));
    expect(await names("many")).toEqual([]);
    console.log(times);
  });
});
