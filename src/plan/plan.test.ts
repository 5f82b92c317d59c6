import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { App } from "../model/app.ts";
import type { AppRecord, AppVersion } from "../model/app-record.ts";
import type { Service } from "../model/service.ts";
import type { Task, TaskStatus } from "../model/task.ts";
import { appOf, dependency, recordOf, versionOf } from "../testing/apps.ts";
import { makePlan, type PlanInput } from "./make-plan.ts";
import { isNothingToDo, type Plan } from "./plan.ts";
import { renderPlan } from "./render.ts";
import { wantedNetworks, wantedVolumes } from "./resources.ts";
import type { SlotTask } from "./slots.ts";
import { specHash, type WantedService, wantedServices } from "./wanted.ts";

const shop: Record<string, Partial<Service>> = {
  db: {
    image: "redis:7",
    mounts: [{ type: "volume", source: "data", target: "/data" }],
    secrets: [{ source: "password", target: "/run/secrets/password" }],
  },
  web: {
    image: "shop-web",
    deploy: { mode: "replicated", replicas: 2, labels: {} },
    dependsOn: { db: dependency({ condition: "service_healthy" }) },
    environment: { LOG: "info" },
  },
};

const volumes: App["volumes"] = {
  data: { name: "shop_data", external: false, options: {}, labels: {}, extensions: {} },
};

const slotNames = (wanted: WantedService) => Array.from({ length: wanted.replicas }, (_, index) => String(index + 1));

/** What the loops leave behind once everything of the record runs. */
function running(record: AppRecord, versions: AppVersion[]): SlotTask[] {
  const wanted = wantedServices(record, number => versions.find(version => version.number === number));
  return [...wanted.values()].flatMap(service =>
    slotNames(service).map((slot): SlotTask => {
      const id = `${service.name}${slot}`;
      const task: Task = {
        id,
        app: record.name,
        service: service.name,
        slot,
        number: Number(slot),
        version: service.version,
        generation: service.generation,
        shared: service.shared,
        sequence: 1,
        starts: service.starts,
        createdAt_ms: 0,
        cause: "",
        wanted: "running",
        wantedCause: "",
        wantedAt_ms: 0,
        host: "one",
        restarts: [],
        forced: 0,
      };
      const status: TaskStatus = { id, state: "running", message: "", at_ms: 0, life: [] };
      return { task, status };
    }),
  );
}

function planOf(before: App | undefined, after: App, given: Partial<PlanInput> = {}): Plan {
  const old = before && versionOf(1, before);
  const version = versionOf(old ? 2 : 1, after, { secrets: { password: "s1" } });
  if (old) old.secrets = { password: "s1" };
  const versions = [old, version].filter(known => known !== undefined);
  const lookup = (number: number) => versions.find(known => known.number === number);
  const specHashOf = (task: Task) => specHash(lookup(task.version)!, task.service, task.shared);
  const record = old && recordOf(old.app, 1);
  const resources = (app: App | undefined) => ({
    networks: app ? wantedNetworks(app, Object.keys(app.services)) : new Map(),
    volumes: app ? wantedVolumes(app, Object.keys(app.services)) : new Map(),
  });
  return makePlan({
    before: record,
    after: recordOf(after, version.number),
    versions: lookup,
    tasks: record ? running(record, versions) : [],
    slotNames,
    specHashOf,
    images: [],
    files: [],
    networks: { are: resources(before).networks, wanted: resources(after).networks },
    volumes: { are: resources(before).volumes, wanted: resources(after).volumes },
    warnings: [],
    ...given,
  });
}

describe("a plan", () => {
  const golden = (plan: Plan, name: string) => expect(renderPlan(plan)).toMatchFileSnapshot(`golden/${name}.txt`);

  it("of a new app creates what it needs, dependencies first", async () => {
    const plan = planOf(undefined, appOf("shop", shop, { volumes }), {
      images: [
        { reference: "redis:7", action: "pull", cause: "it is not here", services: ["db"] },
        { reference: "shop-web", action: "build", cause: "it was never built", services: ["web"] },
      ],
      files: [{ kind: "secret", name: "password", action: "create", cause: "from ./password.txt", services: ["db"] }],
    });
    await golden(plan, "new");
  });

  it("of an unchanged app does nothing", async () => {
    const app = appOf("shop", shop, { volumes });
    const plan = planOf(app, app);
    expect(isNothingToDo(plan)).toBe(true);
    await golden(plan, "unchanged");
  });

  it("names each changed field of a replaced task", async () => {
    const web = { ...shop["web"], image: "shop-web:2", environment: { LOG: "debug" }, user: "www" };
    await golden(planOf(appOf("shop", shop, { volumes }), appOf("shop", { ...shop, web }, { volumes })), "replace");
  });

  it("keeps containers when only their number, order or updates change", () => {
    const deploy = { mode: "replicated" as const, replicas: 2, labels: { a: "b" }, updateConfig: { parallelism: 2 } };
    const after = appOf("shop", { ...shop, web: { ...shop["web"], deploy, dependsOn: {} } }, { volumes });
    expect(isNothingToDo(planOf(appOf("shop", shop, { volumes }), after))).toBe(true);
  });

  it("marks what loses data", async () => {
    const larger = { data: { ...volumes["data"]!, options: { size: "2g" } } };
    await golden(planOf(appOf("shop", shop, { volumes }), appOf("shop", shop, { volumes: larger })), "volume-replaced");
  });

  it("scales down from the highest slot, and removes a service that is gone", async () => {
    const web = { ...shop["web"], deploy: { mode: "replicated" as const, replicas: 1, labels: {} }, dependsOn: {} };
    await golden(planOf(appOf("shop", shop, { volumes }), appOf("shop", { web }, { volumes })), "smaller");
  });

  it("replaces what shares a namespace with a replaced service, and restarts what asked for it", async () => {
    const services = {
      db: {},
      side: { networkMode: "service:db", networks: {} },
      web: { dependsOn: { db: dependency({ restart: true }) } },
    };
    const after = { ...services, db: { user: "redis" } };
    await golden(planOf(appOf("shop", services), appOf("shop", after)), "restart-dependents");
  });

  it("takes dependents away before what they depend on", async () => {
    const app = appOf("shop", shop, { volumes });
    const old = versionOf(1, app);
    const plan = planOf(app, app, {
      after: recordOf(app, 1, { wanted: "removed" }),
      versions: () => old,
      networks: { are: wantedNetworks(app, ["db", "web"]), wanted: new Map() },
      volumes: { are: wantedVolumes(app, ["db"]), wanted: new Map() },
    });
    await golden(plan, "down");
  });

  it("is a DAG whose list stands in its own order, whatever depends on whatever", () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const arbitrary = fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.nat(2)), { maxLength: 12 });
    fc.assert(
      fc.property(arbitrary, fc.subarray(names), (edges, kept) => {
        const services: Record<string, Partial<Service>> = {};
        for (const name of names) services[name] = { dependsOn: {} };
        for (const [from, to] of edges) {
          if (from > to) services[names[from]!]!.dependsOn![names[to]!] = dependency();
        }
        const before = appOf("shop", services);
        const after = appOf("shop", Object.fromEntries(kept.map(name => [name, { ...services[name], user: "x" }])));
        const plan = planOf(before, after);
        const seen = new Set<string>();
        const ids = new Set(plan.steps.map(step => step.id));
        expect(ids.size).toBe(plan.steps.length);
        for (const step of plan.steps) {
          for (const id of step.after) expect(!ids.has(id) || seen.has(id), `${step.id} after ${id}`).toBe(true);
          seen.add(step.id);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("of 20 unchanged services is made in well under 100 ms", () => {
    const app = appOf("big", Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`s${i}`, {}])));
    const started_ms = performance.now();
    expect(isNothingToDo(planOf(app, app))).toBe(true);
    expect(performance.now() - started_ms).toBeLessThan(100);
  });
});
