import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Deploy } from "../model/deploy.ts";
import type { Host } from "../model/host.ts";
import { serviceOf } from "../testing/apps.ts";
import { parseConstraint } from "./constraint.ts";
import { emptyView, type HostView } from "./host-view.ts";
import { place } from "./place.ts";
import { requestOf } from "./request.ts";

function hostOf(name: string, given: Partial<Host["facts"]> = {}): Host {
  const facts = {
    name,
    os: "linux",
    operatingSystem: "Debian 12",
    kernel: "6.1",
    architecture: "amd64",
    cpus: 4,
    memory_bytes: 8 * 2 ** 30,
    engine: "berth",
    engineVersion: "1",
    runtime: "crun",
    storageDriver: "overlay",
    labels: {},
    resources: {},
    bootId: "1",
    ...given,
  };
  return { id: name, facts, state: "up", seenAt_ms: 0 };
}

function request(deploy: Partial<Deploy> = {}, given: Parameters<typeof serviceOf>[1] = {}) {
  return requestOf(
    "shop-web-1",
    "shop",
    serviceOf("web", { deploy: { mode: "replicated", labels: {}, ...deploy }, ...given }),
  );
}

const constrained = (...constraints: string[]) => request({ placement: { constraints, spread: [] } });

describe("placing a task", () => {
  it("says which host lacks what", () => {
    const views = [
      emptyView(hostOf("a"), { availability: "active", labels: { disk: "hdd" } }),
      emptyView(hostOf("b"), { availability: "drain", labels: { disk: "ssd" } }),
      emptyView({ ...hostOf("c"), state: "down" }),
    ];
    expect(place(constrained("node.labels.disk == ssd"), views)).toEqual({
      placed: false,
      reasons: [
        'a does not meet "node.labels.disk == ssd" (node.labels.disk is hdd)',
        "b takes no new tasks (drain)",
        "c is down",
      ],
    });
  });

  it.each([
    ["node.hostname == a", "a"],
    ["node.hostname != a", "b"],
    ["node.platform.arch == x86_64", "a"],
    ["engine.labels.zone == north", "b"],
    ["node.labels.gpu != yes", "a"],
  ])("honours %s", (expression, expected) => {
    const views = [emptyView(hostOf("a")), emptyView(hostOf("b", { labels: { zone: "north" } }))];
    expect(place(constrained(expression), views)).toMatchObject({ view: { host: { id: expected } } });
  });

  it.each(["disk == ssd", "node.labels.disk = ssd", "node.labels.disk == a b"])("refuses %s as an expression", text => {
    expect(() => parseConstraint(text)).toThrow(/placement constraint/);
  });

  it("gives a fixed host port to one task a host", () => {
    const views = [emptyView(hostOf("a"))];
    const web = request({}, { ports: [{ containerPort: 80, hostPort: 8080, protocol: "tcp", mode: "host" }] });
    expect(place(web, views).placed).toBe(true);
    expect(place(web, views)).toMatchObject({ reasons: ["a has port 8080/tcp taken by shop-web-1"] });
  });

  it("lets all tasks of a service share its port, and nobody else", () => {
    const views = [emptyView(hostOf("a"))];
    const ports = [{ containerPort: 80, hostPort: 8080, protocol: "tcp" as const, mode: "ingress" as const }];
    const web = request({}, { ports });
    expect([place(web, views).placed, place(web, views).placed]).toEqual([true, true]);
    expect(place({ ...web, name: "shop-db-1", service: "shop/db" }, views)).toMatchObject({
      reasons: ["a has port 8080/tcp taken by shop-web-1"],
    });
  });

  it("keeps within what hosts have unreserved", () => {
    const views = [emptyView(hostOf("a"))];
    const big = request({ reservations: { nanoCpus: 3e9, memory_bytes: 2 ** 30 } });
    expect(place(big, views).placed).toBe(true);
    expect(place(big, views)).toMatchObject({
      reasons: ["a has 1 of 4 cores unreserved, 3 are asked for"],
    });
  });

  it("spreads over a label first, then over hosts", () => {
    const rack = (name: string, label: string) =>
      emptyView(hostOf(name), { availability: "active", labels: { rack: label } });
    const views = [rack("a", "1"), rack("b", "1"), rack("c", "1"), rack("d", "2")];
    const web = request({ placement: { constraints: [], spread: ["node.labels.rack"] } });
    for (let i = 0; i < 6; i++) place(web, views);
    expect(views.map(view => view.tasks)).toEqual([1, 1, 1, 3]);
  });

  it("never takes a host that a filter refuses, never leaves a fit one out, and stays even", () => {
    const hosts = fc.array(fc.record({ cpus: fc.integer({ min: 1, max: 8 }), ssd: fc.boolean() }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(hosts, fc.integer({ min: 1, max: 30 }), (shapes, count) => {
        const views = shapes.map(
          ({ cpus, ssd }, index): HostView =>
            emptyView(hostOf(`h${index}`, { cpus }), { availability: "active", labels: ssd ? { disk: "ssd" } : {} }),
        );
        const web = request({
          reservations: { nanoCpus: 1e9 },
          placement: { constraints: ["node.labels.disk == ssd"], spread: [] },
        });
        const room = shapes.reduce((sum, { cpus, ssd }) => sum + (ssd ? cpus : 0), 0);
        let placed = 0;
        for (let i = 0; i < count; i++) if (place(web, views).placed) placed++;
        expect(placed).toBe(Math.min(count, room));
        for (const [index, view] of views.entries()) {
          expect(view.tasks <= (shapes[index]!.ssd ? shapes[index]!.cpus : 0)).toBe(true);
          const fuller = views.filter(other => other.tasks > view.tasks + 1);
          if (shapes[index]!.ssd && view.tasks < shapes[index]!.cpus) expect(fuller).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
  });
});
