import { expect, test } from "vitest";
import { loadFiles } from "../../testing/app-files.ts";

const web = (files: Record<string, string>, input: object = {}) => loadFiles(files, input).app.services["web"]!;

test("env_file never feeds interpolation; environment beats it; later files win", () => {
  const service = web({
    "compose.yaml":
      "services: {web: {image: 'a:${FROM_FILE:-none}', env_file: [one.env, {path: two.env}], environment: {A: own}}}",
    "one.env": "A=one\nB=one\nC=one\nFROM_FILE=x",
    "two.env": "B=two",
  });
  expect(service.image).toBe("a:none");
  expect(service.environment).toEqual({ A: "own", B: "two", C: "one", FROM_FILE: "x" });
});

test("a bare KEY takes its value from the environment, and is dropped where that has none", () => {
  const service = web(
    { "compose.yaml": "services: {web: {image: a, environment: [A, B, C=], build: {args: [A, B]}}}" },
    { environment: { A: "1" } },
  );
  expect(service.environment).toEqual({ A: "1", C: "" });
  expect(service.build!.args).toEqual({ A: "1" });
});

test("variables in an env_file see the environment first, then the service's own; format raw sees none", () => {
  const files = {
    "compose.yaml":
      "services: {web: {image: a, env_file: [one.env, {path: raw.env, format: raw}], environment: {OWN: o}}}",
    "one.env": "X=$OUTER-$OWN-$ABOVE",
    "raw.env": "Y='$OUTER' # z",
  };
  expect(web(files, { environment: { OUTER: "out" } }).environment).toEqual({
    X: "out-o-",
    Y: "'$OUTER' # z",
    OWN: "o",
  });
});

test("a missing env_file is an error unless required: false", () => {
  expect(() => web({ "compose.yaml": "services: {web: {image: a, env_file: none.env}}" })).toThrow(
    "services.web.env_file[0]: there is no file /app/none.env",
  );
  expect(
    web({ "compose.yaml": "services: {web: {image: a, env_file: {path: none.env, required: false}}}" }).environment,
  ).toEqual({});
});

test("label_file gives labels, which labels: beats", () => {
  const service = web({
    "compose.yaml": "services: {web: {image: a, label_file: l.env, labels: {b: own}}}",
    "l.env": "a=1\nb=2",
  });
  expect(service.labels).toEqual({ a: "1", b: "own" });
  expect(service.labelFiles).toEqual(["/app/l.env"]);
});

test("depends_on is implied by links, volumes_from and service: in network_mode, ipc and pid", () => {
  const { app } = loadFiles(`
services:
  web: {image: a, links: ["l:x"], volumes_from: [v:ro, "container:other"], network_mode: service:n, ipc: service:i, pid: service:p}
  l: {image: a}
  v: {image: a}
  n: {image: a}
  i: {image: a}
  p: {image: a}
  x: {image: a, depends_on: {l: {condition: service_healthy, restart: true, required: false}}, links: [l]}
`);
  const started = { condition: "service_started", restart: true, required: true };
  expect(app.services["web"]!.dependsOn).toEqual({
    l: started,
    n: started,
    i: started,
    p: started,
    v: { ...started, restart: false },
  });
  expect(app.services["x"]!.dependsOn).toEqual({ l: { condition: "service_healthy", restart: true, required: false } });
});

test("profiles: none means always; --profile and COMPOSE_PROFILES enable, * enables all", () => {
  const compose =
    "services: {web: {image: a}, dev: {image: b, profiles: [dev]}, test: {image: c, profiles: [test, ci]}}";
  const enabled = (input: object) => Object.keys(loadFiles(compose, input).app.services).sort();
  expect(enabled({})).toEqual(["web"]);
  expect(enabled({ profiles: ["dev"] })).toEqual(["dev", "web"]);
  expect(enabled({ environment: { COMPOSE_PROFILES: "ci, dev" } })).toEqual(["dev", "test", "web"]);
  expect(enabled({ profiles: ["*"] })).toEqual(["dev", "test", "web"]);
  expect(Object.keys(loadFiles(compose).app.disabledServices)).toEqual(["dev", "test"]);
});

test("a dependency does not enable a profile; naming a service does", () => {
  const compose =
    "services: {web: {image: a, profiles: [w], depends_on: [db]}, db: {image: b, profiles: [d]}, top: {image: c, depends_on: {db: {condition: service_started, required: false}}}}";
  expect(() => loadFiles(compose, { profiles: ["w"] })).toThrow(
    "it depends on db, which none of the active profiles enables",
  );
  expect(() => loadFiles(compose, { services: ["web"] })).toThrow("it depends on db");
  expect(Object.keys(loadFiles(compose, { services: ["db"] }).app.services).sort()).toEqual(["db", "top"]);
  expect(Object.keys(loadFiles(compose).app.services)).toEqual(["top"]);
});

test("services join the default network unless they say otherwise; what nobody uses is left out", () => {
  const { app } = loadFiles(`
services: {a: {image: a}, b: {image: b, networks: [n]}, c: {image: c, network_mode: host}}
networks: {n: {name: real}, unused: , default: {labels: {x: y}}}
volumes: {unused: }
`);
  expect(app.networks).toMatchObject({ n: { name: "real" }, default: { name: "app_default", labels: { x: "y" } } });
  expect(Object.keys(app.networks)).not.toContain("unused");
  expect(app.volumes).toEqual({});
  expect(app.services["c"]!.networks).toEqual({});
  expect(Object.keys(loadFiles("services: {c: {image: c, network_mode: host}}").app.networks)).toEqual([]);
});

test("external things are called as they are, also with the older external.name", () => {
  const { app } = loadFiles(`
services: {a: {image: a, networks: [n, o], volumes: [v:/v]}}
networks: {n: {external: true}, o: {external: {name: other}}}
volumes: {v: {external: true, name: w}}
`);
  expect(app.networks).toMatchObject({ n: { name: "n", external: true }, o: { name: "other", external: true } });
  expect(app.volumes["v"]).toMatchObject({ name: "w", external: true });
});

test("x-* is kept wherever keys are not names; under services and volumes x-foo is a name", () => {
  const { app } = loadFiles(`
x-top: 1
services:
  x-web: {image: a, x-own: [1], deploy: {x-d: 1}, volumes: [x-vol:/v]}
volumes: {x-vol: {x-v: true}}
`);
  expect(app.extensions).toEqual({ "x-top": 1 });
  expect(app.services["x-web"]!.extensions).toEqual({ "x-own": [1] });
  expect(app.volumes["x-vol"]!.extensions).toEqual({ "x-v": true });
});

test("deploy.mode has job modes; a schedule makes a job", () => {
  const { app } = loadFiles(`
services:
  once: {image: a, deploy: {mode: replicated-job, replicas: 3}}
  nightly: {image: a, x-berth: {schedule: {cron: "0 3 * * *", time_zone: Europe/Paris, overlap: replace, starting_deadline: 10m}}}
  short: {image: a, x-berth: {schedule: "@daily"}}
  hooked: {image: a, x-berth: {host_hooks: {before_start: [{command: "mount /x", timeout: 5s}], after_stop: [umount /x]}}}
`);
  expect(app.services["once"]!.deploy).toMatchObject({ mode: "replicated-job", replicas: 3 });
  expect(app.services["nightly"]).toMatchObject({
    deploy: { mode: "replicated-job" },
    schedule: {
      cron: "0 3 * * *",
      timeZone: "Europe/Paris",
      overlap: "replace",
      startingDeadline_ms: 600_000,
      keepSucceeded: 3,
    },
  });
  expect(app.services["short"]!.schedule).toMatchObject({
    cron: "@daily",
    timeZone: "UTC",
    overlap: "forbid",
    suspended: false,
  });
  expect(app.services["hooked"]!.hostHooks).toEqual({
    beforeStart: [{ command: ["mount", "/x"], timeout_ms: 5_000, environment: {} }],
    afterStop: [{ command: ["umount", "/x"], timeout_ms: 60_000, environment: {} }],
  });
});
