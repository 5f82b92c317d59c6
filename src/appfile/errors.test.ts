import { expect, test } from "vitest";
import { BerthError } from "../base/errors.ts";
import { loadFiles } from "../testing/app-files.ts";
import { limits } from "./limits.ts";
import type { Problem } from "./problems.ts";

function problems(files: Record<string, string> | string): Problem[] {
  try {
    loadFiles(files);
  } catch (error) {
    if (error instanceof BerthError && error.code === "invalid")
      return (error.details?.["problems"] ?? []) as Problem[];
    throw error;
  }
  return [];
}

/** What is wrong with one service, as "path: message (hint)" lines; paths start at the service. */
const of = (service: string, rest = "") =>
  problems(`services:\n  web: {${service}}\n  other: {image: o}\n${rest}`).map(
    ({ path, message, hint }) => `${path.replace("services.web.", "")}: ${message}${hint ? ` (${hint})` : ""}`,
  );

test("every problem of a document is told at once, with file, line, column and path", () => {
  const found = problems(
    "services:\n  web:\n    imge: x\n    restart: alwys\n  db:\n    image: y\n    ports:\n      - 80\n      - a:b\n",
  );
  expect(found.map(({ file, line, column, path }) => `${file}:${line}:${column} ${path}`)).toEqual([
    "/app/compose.yaml:3:5 services.web.imge",
    "/app/compose.yaml:4:14 services.web.restart",
    "/app/compose.yaml:9:9 services.db.ports[1]",
  ]);
});

test("the message of one problem reads as a sentence with its place, and the hint stands apart", () => {
  const load = () => loadFiles("services:\n  web:\n    image: a\n    volums: []\n");
  expect(load).toThrow('/app/compose.yaml:4:5: services.web.volums: a service has no key "volums"');
  try {
    load();
  } catch (error) {
    expect((error as BerthError).hint).toBe("did you mean volumes?");
  }
});

test("there are not more problems than a person can read", () => {
  const keys = Array.from({ length: 500 }, (_, index) => `    zzzzzz${index}: 1`).join("\n");
  expect(problems(`services:\n  web:\n${keys}\n`)).toHaveLength(limits.problems);
});

test("problems of included and extended files are told where they stand", () => {
  const [found] = problems({
    "compose.yaml": "services: {web: {extends: {file: x/base.yaml, service: b}}}",
    "x/base.yaml": "services:\n  b:\n    image: a\n    restart: never\n",
  });
  expect(found).toMatchObject({ file: "/app/x/base.yaml", line: 4, column: 14, path: "services.b.restart" });
});

test("misspelt keys get the nearest one, older keys the new one, short mappings all that are allowed", () => {
  expect(of("image: a, enviroment: {}")).toEqual([
    'enviroment: a service has no key "enviroment" (did you mean environment?)',
  ]);
  expect(of("image: a, dependsOn: []")).toEqual([
    'dependsOn: a service has no key "dependsOn" (did you mean depends_on?)',
  ]);
  expect(of("image: a, net: host")).toEqual(['net: a service has no key "net" (use network_mode)']);
  expect(of("image: a, healthcheck: {retires: 3}")).toEqual([
    'healthcheck.retires: a health check has no key "retires"; allowed are disable, interval, retries, start_interval, start_period, test, timeout (did you mean retries?)',
  ]);
  expect(problems("service: {}").map(({ message, hint }) => [message, hint])).toEqual([
    [
      'an app file has no key "service"; allowed are configs, include, models, name, networks, secrets, services, version, volumes, x-berth',
      "did you mean services?",
    ],
  ]);
});

test("values that are not of their type are told with what is allowed and what is there", () => {
  const cases: [string, string][] = [
    ["image: 7", 'image: expected text, got the number 7 (write it in quotes: "7")'],
    ["image: [a]", "image: expected text, got a list"],
    ["image: a, tty: maybe", 'tty: expected true or false, got "maybe"'],
    ["image: a, scale: -1", "scale: expected a whole number of at least 0, got the number -1"],
    ["image: a, oom_score_adj: 2000", "oom_score_adj: expected a whole number from -1000 to 1000, got the number 2000"],
    ["image: a, mem_limit: lots", 'mem_limit: expected a size such as 512m or 2g, got "lots"'],
    [
      "image: a, stop_grace_period: 10",
      "stop_grace_period: expected a duration such as 90s or 1m30s, got the number 10",
    ],
    ['image: a, command: "sh -c \'x"', 'command: expected a command line whose quotes are closed, got "sh -c \'x"'],
    ["image: a, ports: ['1-3:1-2']", "the two ranges differ in length"],
    ["image: a, ports: ['0:70000']", "70000 is no port or range from 1 to 65535"],
    ["image: a, ports: ['300.1.1.1:80:80']", '"300.1.1.1" is no IP address'],
    ["image: a, volumes: ['a:b:c:d']", "there is a colon too many"],
    ["image: a, volumes: ['./a:/b:rw,fast']", '"fast" is no mount option'],
    ["image: a, volumes: [{type: bnd, target: /x}]", "expected one of bind, volume, tmpfs, cluster, npipe, image"],
    ["image: a, deploy: {mode: replicatd}", "(did you mean replicated?)"],
    ["image: a, extra_hosts: ['a:nowhere']", "expected an IP address or host-gateway for a"],
    ["image: a, secrets: [{source: s, mode: '99'}]", 'expected permission bits such as 0440 or "0440"'],
    ["image: a, healthcheck: {test: [curl]}", "expected NONE, CMD or CMD-SHELL as the first word"],
    ["image: a, depends_on: {other: {condition: started}}", "expected one of service_started, service_healthy"],
    ["image: a, depends_on: {other: {}}", "a dependency needs the key condition"],
    ["image: a, pull_policy: often", "expected always, never, missing"],
    ["image: a, ulimits: {nofile: {soft: 1}}", "a limit needs the key hard"],
    ["image: a, environment: [A=1, {B: 2}]", "environment[1]: expected KEY=VALUE, got a mapping"],
    ["image: a, ports: ['1-65535:1-65535', '1-65535:1-65535/udp']", "expected fewer ports"],
  ];
  for (const [service, expected] of cases) expect(of(service).join("\n"), service).toContain(expected);
});

test("rules between keys are checked", () => {
  const cases: [string, string][] = [
    ["user: a", "the service has neither an image nor a build"],
    ["image: a, network_mode: host, networks: [default]", "network_mode and networks exclude each other"],
    ["build: {dockerfile: a, dockerfile_inline: b}", "dockerfile and dockerfile_inline exclude each other"],
    ["image: a, scale: 2, deploy: {replicas: 3}", "scale is 2, and deploy.replicas is 3: they must say the same"],
    [
      "image: a, mem_limit: 1g, deploy: {resources: {limits: {memory: 2g}}}",
      "deploy.resources.limits.memory is 2147483648",
    ],
    ["image: a, container_name: x, scale: 2", "2 containers cannot all have this name"],
    ["image: a, deploy: {mode: global, replicas: 2}", "it takes no number of replicas"],
    ["image: a, pull_policy: build", "pull_policy: build needs build:"],
    ["image: a, volumes: [{type: bind, target: /x}]", "a mount of type bind needs a source"],
    ["image: a, volumes: [{type: volume, target: /x, tmpfs: {}}]", "tmpfs is for mounts of type tmpfs, not volume"],
    ["image: a, develop: {watch: [{path: x, action: sync}]}", "the action sync needs the key target"],
    ["image: a, gpus: [{count: 1, device_ids: [a]}]", "count and device_ids exclude each other"],
    ["image: a, healthcheck: {disable: true, test: x}", "a health check that is disabled has a test"],
    ["image: a, restart: always, deploy: {mode: replicated-job}", "a job ends; it cannot restart always"],
    ["image: a, x-berth: {schedule: 'x'}", '"x": it has 1 fields, not 5'],
    ["image: a, x-berth: {schedule: {cron: '@daily', time_zone: Mars}}", '"Mars" is no time zone'],
    ["image: a, x-berth: {schedule: '@daily'}, deploy: {mode: global}", "its mode cannot be global (say global-job)"],
    ["image: a, x-berth: {shedule: '@daily'}", "(did you mean schedule?)"],
  ];
  for (const [service, expected] of cases) expect(of(service).join("\n"), service).toContain(expected);
});

test("everything that a service names must be there", () => {
  const rest = "volumes: {data: }\nnetworks: {back: }\nsecrets: {pw: {file: x}}\n";
  expect(
    of(
      "image: a, volumes: [dta:/x], networks: [bak], secrets: [pww], configs: [c], depends_on: [othr], links: [gone]",
      rest,
    ),
  ).toEqual([
    'networks.bak: there is no network "bak" (did you mean back?)',
    'volumes[0]: there is no volume "dta" (did you mean data?)',
    'secrets[0]: there is no secret "pww" (did you mean pw?)',
    'configs[0]: there is no config "c" (declare it under configs: at the top)',
    'depends_on.othr: there is no service "othr" (did you mean other?)',
    'depends_on.gone: there is no service "gone"',
  ]);
});

test("dependencies must not go round", () => {
  expect(
    problems(
      "services: {a: {image: x, depends_on: [b]}, b: {image: x, links: [c]}, c: {image: x, volumes_from: [a]}}",
    )[0]!.message,
  ).toBe("the services depend on each other: a -> b -> c -> a");
  expect(of("image: a, depends_on: [web]")[0]).toContain("web -> web");
});

test("networks, volumes, secrets and configs are checked, too", () => {
  const rest = (text: string) =>
    of("image: a, networks: [n], volumes: [v:/v], secrets: [s], configs: [c]", text).join("\n");
  const fine = { n: "n: ", v: "v: ", s: "s: {file: x}", c: "c: {content: x}" };
  const all = (given: Partial<typeof fine>) => {
    const { n, v, s, c } = { ...fine, ...given };
    return rest(`networks: {${n}}\nvolumes: {${v}}\nsecrets: {${s}}\nconfigs: {${c}}\n`);
  };
  expect(all({})).toBe("");
  expect(all({ n: "n: {external: true, driver: x}" })).toContain(
    "what is external is made by somebody else: driver does not apply",
  );
  expect(all({ s: "s: " })).toContain("it has no content: one of file, environment, driver and external is needed");
  expect(all({ c: "c: {content: x, file: y}" })).toContain("file and content exclude each other");
  expect(all({ v: "v: {external: {name: a}, name: b}" })).toContain("the name to be given once");
  expect(problems("services: {a b: {image: x}}")[0]!.message).toBe('"a b" is no name for services');
});

test("two services cannot have one container name", () => {
  expect(problems("services: {a: {image: x, container_name: n}, b: {image: x, container_name: n}}")[0]!.message).toBe(
    "the service a has this container name, too",
  );
});

test("an empty file, and one that is no mapping, are refused as such", () => {
  expect(problems("")[0]!.message).toBe("the file is empty");
  expect(problems("# nothing\n")[0]!.message).toBe("the file is empty");
  expect(problems("- a\n")[0]!.message).toBe("an app file is a mapping");
  expect(problems("just text")[0]!.message).toBe("an app file is a mapping");
});

test("__proto__ is no key", () => {
  expect(problems("services: {web: {image: a, labels: {__proto__: x}}}")[0]!.message).toBe("a key cannot be __proto__");
  expect(
    loadFiles("services: {web: {image: 'a:${constructor:-x}', labels: [__proto__=x]}}").app.services["web"]!.image,
  ).toBe("a:x");
});

test("models and provider are parsed; what runs them is not asked here", () => {
  const { app } = loadFiles(
    "services: {web: {image: a, models: [m]}, cloud: {provider: {type: p, options: {a: 1}}}}\nmodels: {m: {model: ai/x}}",
  );
  expect(app.models).toEqual({ m: { model: "ai/x", runtimeFlags: [], extensions: {} } });
  expect(app.services["cloud"]!.provider).toEqual({ type: "p", options: { a: 1 } });
});

test("what multiplies by including, extending or reading again is refused while it is still small", {
  timeout: 120_000,
}, () => {
  const before = process.cpuUsage();
  const tens = (level: number) =>
    `include: [${Array.from({ length: 10 }, (_, index) => `{path: l${level}.yaml, env_file: e${index}}`).join(", ")}]`;
  const includes = Object.fromEntries(Array.from({ length: 9 }, (_, level) => [`l${level}.yaml`, tens(level + 1)]));
  const envs = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`e${index}`, ""]));
  expect(problems({ "compose.yaml": tens(0), ...includes, "l9.yaml": "services: {}", ...envs })[0]!.message).toContain(
    "the app has more than",
  );

  const large = Array.from({ length: 20_000 }, (_, index) => `K${index}: v`).join(", ");
  const extending = Array.from(
    { length: 1_000 },
    (_, index) => `  s${index}: {extends: base, environment: {X: 1}}`,
  ).join("\n");
  expect(problems(`services:\n  base: {image: a, environment: {${large}}}\n${extending}\n`)[0]!.message).toContain(
    "the app has more than",
  );

  const reading = Array.from({ length: 1_000 }, (_, index) => `  s${index}: {image: a, env_file: big}`).join("\n");
  const big = "K=v\n".repeat(100_000);
  expect(problems({ "compose.yaml": `services:\n${reading}\n`, big })[0]!.message).toContain("the app has more than");

  const ports = Array.from({ length: 100 }, (_, index) => `  s${index}: {image: a, ports: ["1-65000"]}`).join("\n");
  expect(problems(`services:\n${ports}\n`)[0]!.message).toMatch(/fewer ports|more than/);
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(15_000);
});
