import { describe, expect, it } from "vitest";
import type { Service } from "../model/service.ts";
import type { Task } from "../model/task.ts";
import { appOf, dependency, versionOf } from "../testing/apps.ts";
import { containerSpec } from "./container-spec.ts";

const task: Task = {
  id: "abc",
  app: "shop",
  service: "web",
  slot: "2",
  number: 2,
  version: 3,
  generation: "g",
  shared: "",
  imageId: "sha256:1",
  sequence: 1,
  starts: 0,
  forced: 0,
  createdAt_ms: 0,
  cause: "",
  wanted: "ready",
  wantedCause: "",
  wantedAt_ms: 0,
  restarts: [],
};

function specOf(web: Partial<Service>, more: Parameters<typeof appOf>[2] = {}) {
  const app = appOf("shop", { web, db: { links: ["web:frontend"] } }, more);
  return containerSpec(task, versionOf(3, app), {
    files: new Map([
      ["secret/key/run/key", "/run/x"],
      ["secret/key//run/key", "/run/files/secret-0"],
    ]),
    inherited: new Map([["/old", "f".repeat(64)]]),
    peer: name => `shop-${name}-1`,
  });
}

describe("a service as a container", () => {
  it("has the name and labels that docker compose gives", () => {
    const spec = specOf({ labels: { team: "a" }, dependsOn: { db: dependency({ restart: true }) } });
    expect(spec.name).toBe("shop-web-2");
    expect(spec.labels).toMatchObject({
      team: "a",
      "com.docker.compose.project": "shop",
      "com.docker.compose.service": "web",
      "com.docker.compose.container-number": "2",
      "com.docker.compose.oneoff": "False",
      "com.docker.compose.project.working_dir": "/srv/shop",
      "com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
      "com.docker.compose.depends_on": "db:service_started:true",
      "com.docker.compose.image": "sha256:1",
      "io.berth.task": "abc",
    });
  });

  it("answers to its service, its task, its aliases and the names that links give it", () => {
    const [endpoint] = specOf({ networks: { default: { aliases: ["www"] } } }).endpoints!;
    expect(endpoint).toMatchObject({ network: "shop_default", aliases: ["web", "web-2", "www", "frontend"] });
  });

  it("joins networks in falling order of priority", () => {
    const external = { name: "front", external: true, options: {}, pools: [], labels: {}, extensions: {} };
    const spec = specOf(
      { networks: { default: {}, front: { priority: 10 } } },
      { networks: { default: { ...external, name: "shop_default", external: false }, front: external } },
    );
    expect(spec.endpoints!.map(({ network }) => network)).toEqual(["front", "shop_default"]);
  });

  it("shares the namespaces and mounts of other services", () => {
    const spec = specOf({ networks: {}, networkMode: "service:db", pid: "container:x", volumesFrom: ["db:ro"] });
    expect(spec.namespaces).toMatchObject({ network: "container:shop-db-1", pid: "container:x" });
    expect(spec.volumesFrom).toEqual(["shop-db-1:ro"]);
    expect(spec.endpoints).toBeUndefined();
  });

  it("mounts binds, volumes by their real names, secrets, tmpfs and what it takes over", () => {
    const spec = specOf(
      {
        mounts: [
          { type: "bind", source: "/srv/a", target: "/a", readOnly: true, createHostPath: true },
          { type: "volume", source: "data", target: "/data", noCopy: true },
          { type: "volume", target: "/old" },
        ],
        tmpfs: ["/tmp:size=1m,mode=755"],
        secrets: [{ source: "key", target: "/run/key" }],
      },
      { volumes: { data: { name: "real", external: true, options: {}, labels: {}, extensions: {} } } },
    );
    expect(spec.mounts).toMatchObject([
      { type: "bind", source: "/srv/a", target: "/a", readOnly: true, createHostPath: true },
      { type: "volume", source: "real", target: "/data", noCopy: true },
      { type: "volume", source: "f".repeat(64), target: "/old" },
      { type: "bind", source: "/run/files/secret-0", target: "/run/key", readOnly: true },
      { type: "tmpfs", target: "/tmp", options: ["size=1m", "mode=755"] },
    ]);
  });

  it("lets deploy's limits win over the older attributes", () => {
    const limits = { nanoCpus: 5e8, memory_bytes: 2 ** 20 };
    const spec = specOf({
      resources: { nanoCpus: 1e9, cpuset: "0" },
      deploy: { mode: "replicated", labels: {}, limits },
    });
    expect(spec.resources).toMatchObject({ nanoCpus: 5e8, memory_bytes: 2 ** 20, cpusetCpus: "0" });
  });

  it.each([
    [{ mounts: [{ type: "npipe", source: "a", target: "/b" }] }, /mount of type npipe/],
    [{ ports: [{ containerPort: 1, protocol: "sctp", mode: "host" }] }, /sctp/],
    [{ logging: { driver: "splunk", options: {} } }, /log driver splunk/],
  ] as [Partial<Service>, RegExp][])("refuses by name what it cannot do", (service, message) => {
    expect(() => specOf(service)).toThrow(message);
  });
});
