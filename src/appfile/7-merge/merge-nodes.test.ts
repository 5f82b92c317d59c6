import { expect, test } from "vitest";
import { loadFiles } from "../../testing/app-files.ts";

/** The service web out of an image and two layers, given as YAML of what is under it. */
function merged(base: string, over: string) {
  const layer = (text: string) =>
    `services:\n  web:\n    image: a\n${text.replace(/^/gm, "    ")}\nvolumes: {one: , two: }\nnetworks: {n: , m: }\nsecrets: {s: {file: s}, t: {file: t}}\nconfigs: {c: {content: c}}\n`;
  const { app, document } = loadFiles(
    { "a.yaml": layer(base), "b.yaml": layer(over) },
    { paths: ["a.yaml", "b.yaml"] },
  );
  return { service: app.services["web"]!, document: document.services!["web"]! };
}

test("lists append, single values are replaced", () => {
  expect(merged("dns: 1.1.1.1\nuser: a", "dns: [8.8.8.8, 1.1.1.1]\nuser: b").service).toMatchObject({
    dns: ["1.1.1.1", "8.8.8.8"],
    user: "b",
  });
});

test("a null override does not clear", () => {
  const { service } = merged(
    "user: a\nenvironment: {A: 1}\ndns: [1.1.1.1]\ncommand: x\nnetworks: {n: {aliases: [x]}}",
    "user:\nenvironment:\ndns:\ncommand:\nnetworks: {n: }",
  );
  expect(service).toMatchObject({
    user: "a",
    environment: { A: "1" },
    dns: ["1.1.1.1"],
    command: ["x"],
    networks: { n: { aliases: ["x"] } },
  });
});

test("command, entrypoint and healthcheck.test replace", () => {
  const { service } = merged(
    "command: [a, b]\nentrypoint: /e\nhealthcheck: {test: [CMD, a], interval: 5s}",
    "command: c\nentrypoint: []\nhealthcheck: {test: b}",
  );
  expect(service).toMatchObject({
    command: ["c"],
    entrypoint: [],
    healthCheck: { test: ["CMD-SHELL", "b"], interval_ms: 5000 },
  });
});

test("KEY=VAL pairs go by KEY, whether lists or mappings", () => {
  const { service } = merged(
    "environment: [A=1, B=2]\nlabels: {a: 1}\nsysctls: [x=1]\nbuild: {context: ., args: [P=1, Q=1]}",
    "environment: {B: 3, C: 4}\nlabels: [a=2, b]\nsysctls: {x: 2}\nbuild: {args: {Q: 2}}",
  );
  expect(service).toMatchObject({
    environment: { A: "1", B: "3", C: "4" },
    labels: { a: "2", b: "" },
    sysctls: { x: "2" },
    build: { context: "/app", args: { P: "1", Q: "2" } },
  });
});

test("volumes and devices go by target, the later one in the earlier one's place", () => {
  const { service } = merged(
    "volumes: [one:/x:ro, one:/y]\ndevices: [/dev/a:/dev/x]",
    "volumes: [{type: volume, source: two, target: /x/}, ./h:/z]\ndevices: [/dev/b:/dev/x:r, /dev/c]",
  );
  expect(service.mounts.map(({ source, target, readOnly }) => [source, target, readOnly])).toEqual([
    ["two", "/x", undefined],
    ["one", "/y", undefined],
    ["/app/h", "/z", undefined],
  ]);
  expect(service.devices).toEqual([
    { hostPath: "/dev/b", containerPath: "/dev/x", permissions: "r" },
    { hostPath: "/dev/c", containerPath: "/dev/c", permissions: "rwm" },
  ]);
});

test("secrets and configs go by their target", () => {
  const { service } = merged(
    "secrets: [s]\nconfigs: [c]",
    "secrets: [{source: t, target: s, mode: 0400}, {source: s, target: /run/secrets/s, uid: 1}]\nconfigs: [{source: c, target: /c, mode: '0444'}]",
  );
  expect(service.secrets).toEqual([{ source: "s", target: "/run/secrets/s", uid: "1" }]);
  expect(service.configs).toEqual([{ source: "c", target: "/c", mode: 0o444 }]);
});

test("ports go by ip:published:target/proto: another host port is one more mapping", () => {
  const { service } = merged(
    "ports: ['80:80', '443:443']",
    "ports: ['8080:80', {target: 443, published: 443, name: tls}, '443:443/udp']",
  );
  expect(
    service.ports.map(({ hostPort, containerPort, protocol, name }) => [hostPort, containerPort, protocol, name]),
  ).toEqual([
    [80, 80, "tcp", undefined],
    [443, 443, "tcp", "tls"],
    [8080, 80, "tcp", undefined],
    [443, 443, "udp", undefined],
  ]);
});

test("logging options merge for the same driver, or where one names none; another driver replaces", () => {
  const base = "logging: {driver: json-file, options: {max-size: 1m}}";
  const logging = (over: string) => merged(base, over).service.logging;
  expect(logging("logging: {options: {max-file: 2}}")).toEqual({
    driver: "json-file",
    options: { "max-size": "1m", "max-file": "2" },
  });
  expect(logging("logging: {driver: json-file, options: {max-size: 2m}}")).toEqual({
    driver: "json-file",
    options: { "max-size": "2m" },
  });
  expect(logging("logging: {driver: none}")).toEqual({ driver: "none", options: {} });
});

test("mappings merge deeply: networks, depends_on, deploy, ulimits; x-* is replaced", () => {
  const { service } = merged(
    "networks: [n]\ndeploy: {replicas: 2, labels: [a=1], update_config: {order: start-first}}\nulimits: {nofile: {soft: 1, hard: 2}, nproc: 3}\nx-a: {p: 1}",
    "networks: {n: {aliases: [w]}, m: }\ndeploy: {labels: {b: 2}, update_config: {parallelism: 3}}\nulimits: {nofile: {soft: 5}}\nx-a: {q: 1}",
  );
  expect(service.networks).toEqual({ n: { aliases: ["w"] }, m: {} });
  expect(service.deploy).toMatchObject({
    replicas: 2,
    labels: { a: "1", b: "2" },
    updateConfig: { order: "start-first", parallelism: 3 },
  });
  expect(service.ulimits).toEqual([
    { name: "nofile", soft: 5, hard: 2 },
    { name: "nproc", soft: 3, hard: 3 },
  ]);
  expect(service.extensions["x-a"]).toEqual({ q: 1 });
});

test("extra_hosts append, so that a host may have several addresses", () => {
  expect(
    merged("extra_hosts: [a:1.1.1.1]", "extra_hosts: {a: ['::1', 1.1.1.1], b: host-gateway}").service.extraHosts,
  ).toEqual(["a=1.1.1.1", "a=::1", "b=host-gateway"]);
});

test("!reset removes what earlier files gave, and !override replaces it", () => {
  const { service } = merged(
    "ports: ['80:80']\nenvironment: {A: 1, B: 2}\ndns: [1.1.1.1]\nuser: a\ndeploy: {replicas: 2, mode: replicated}",
    "ports: !reset []\nenvironment: {A: !reset null, C: 3}\ndns: !override [8.8.8.8]\nuser: !reset null\ndeploy: !override {mode: global}",
  );
  expect(service.ports).toEqual([]);
  expect(service.environment).toEqual({ B: "2", C: "3" });
  expect(service.dns).toEqual(["8.8.8.8"]);
  expect(service.user).toBeUndefined();
  expect(service.deploy).toEqual({ mode: "global", labels: {} });
});

test("!reset in the first file leaves nothing behind, and can take out a whole service or list item", () => {
  const { app } = loadFiles(
    "services: {web: {image: a, user: !reset x, dns: [1.1.1.1, !reset 8.8.8.8]}, dev: !reset {image: b}}",
  );
  expect(Object.keys(app.services)).toEqual(["web"]);
  expect(app.services["web"]).toMatchObject({ dns: ["1.1.1.1"] });
  expect(app.services["web"]!.user).toBeUndefined();
});

test("further documents of one file are overrides", () => {
  const { app } = loadFiles(
    "services: {web: {image: a, user: x}}\n---\n\n---\nservices: {web: {image: b}, db: {image: c}}\n",
  );
  expect(app.services["web"]).toMatchObject({ image: "b", user: "x" });
  expect(app.services["db"]!.image).toBe("c");
});

test("address pools of a network merge by subnet", () => {
  const net = (pools: string) =>
    `services: {web: {image: a, networks: [n]}}\nnetworks: {n: {ipam: {config: [${pools}]}}}`;
  const files = {
    "a.yaml": net("{subnet: 10.1.0.0/16, gateway: 10.1.0.1}"),
    "b.yaml": net("{subnet: 10.1.0.0/16, ip_range: 10.1.2.0/24}, {subnet: 10.2.0.0/16}"),
  };
  expect(loadFiles(files, { paths: ["a.yaml", "b.yaml"] }).app.networks["n"]!.pools).toEqual([
    { subnet: "10.1.0.0/16", gateway: "10.1.0.1", ipRange: "10.1.2.0/24" },
    { subnet: "10.2.0.0/16" },
  ]);
});
