import { expect, test } from "vitest";
import { loadFiles, tryFiles } from "../../testing/app-files.ts";

test("an included file brings its services, networks and volumes, its paths starting at its own directory; local wins", () => {
  const { app } = loadFiles({
    "compose.yaml": "include: [db/compose.yaml]\nservices: {web: {image: w, depends_on: [db]}, db: {user: local}}",
    "db/compose.yaml":
      "services: {db: {image: d, user: included, volumes: [./data:/d, v:/v]}}\nvolumes: {v: {labels: {a: 1}}}",
  });
  expect(app.services["db"]).toMatchObject({ image: "d", user: "local" });
  expect(app.services["db"]!.mounts[0]!.source).toBe("/app/db/data");
  expect(app.volumes["v"]!.name).toBe("app_v");
});

test("a list of paths is one app with overrides; project_directory and env_file are honoured; the outer environment wins", () => {
  const { app } = loadFiles(
    {
      "compose.yaml":
        "include:\n  - path: [x/a.yaml, x/b.yaml]\n    project_directory: root\n    env_file: [one.env]\nservices: {}",
      "x/a.yaml": "services: {a: {image: 'a:${T}-${U}', build: ./src}}",
      "x/b.yaml": "services: {a: {user: b}}",
      "one.env": "T=one\nU=one",
    },
    { environment: { U: "outer" } },
  );
  expect(app.services["a"]).toMatchObject({ image: "a:one-outer", user: "b", build: { context: "/app/root/src" } });
});

test("the .env beside an included file counts for it alone", () => {
  const { app } = loadFiles({
    "compose.yaml": "include: [x/compose.yaml]\nservices: {web: {image: 'w:${T:-none}', environment: [T]}}",
    "x/compose.yaml": "services: {a: {image: 'a:${T}', environment: [T]}}",
    "x/.env": "T=inner",
  });
  expect(app.services["web"]).toMatchObject({ image: "w:none", environment: {} });
  expect(app.services["a"]).toMatchObject({ image: "a:inner", environment: { T: "inner" } });
});

test("includes may include, but not round and round", () => {
  const { app } = loadFiles({
    "compose.yaml": "include: [a/a.yaml]\n",
    "a/a.yaml": "include: [../b/b.yaml]\nservices: {a: {image: a}}",
    "b/b.yaml": "services: {b: {image: b}}",
  });
  expect(Object.keys(app.services).sort()).toEqual(["a", "b"]);
  expect(() =>
    loadFiles({ "compose.yaml": "include: [a.yaml]", "a.yaml": "include: [b.yaml]", "b.yaml": "include: [a.yaml]" }),
  ).toThrow("the include goes round: /app/compose.yaml -> /app/a.yaml -> /app/b.yaml -> /app/a.yaml");
  expect(() => loadFiles("include: [compose.yaml]")).toThrow("the include goes round");
});

test("what cannot be included is told: a missing file, a remote one, no path, x-berth in the wrong place", () => {
  expect(() => loadFiles("include: [none.yaml]")).toThrow(
    "/app/compose.yaml:1:11: include: there is no file /app/none.yaml",
  );
  expect(() => loadFiles("include: ['https://example.com/x.git']")).toThrow("Berth includes files only");
  expect(() => loadFiles("include: [{env_file: a}]")).toThrow("an include needs the key path");
  expect(() => loadFiles("include: [{path: a.yaml, x-berth: {name: b}}]")).toThrow("write it under x-berth.include");
});

const database = `
x-berth:
  params:
    size: {type: size}
    password: {type: secret}
services:
  db:
    image: postgres
    environment: {SIZE: "\${size}", PASSWORD: "\${password}"}
    volumes: [data:/data]
    secrets: [pw]
    links: [cache]
  cache: {image: redis, networks: [default, inner]}
  side: {image: side, ipc: "service:db", volumes_from: [db]}
volumes: {data: , shared: {external: true}}
networks: {inner: }
secrets: {pw: {file: ./pw}}
`;

test("the same app twice under two names: everything is renamed, and each has its own parameters", () => {
  const { app } = loadFiles(
    {
      "compose.yaml": `
x-berth:
  include:
    - {path: db/compose.yaml, name: orders, params: {size: 1g}}
    - {path: db/compose.yaml, name: users, params: {size: 2g, password: "u"}}
services:
  web: {image: w, depends_on: [orders-db, users-db]}
`,
      "db/compose.yaml": database,
    },
    { set: { "orders.password": "o", "users.size": "3g" } },
  );
  expect(Object.keys(app.services).sort()).toEqual([
    "orders-cache",
    "orders-db",
    "orders-side",
    "users-cache",
    "users-db",
    "users-side",
    "web",
  ]);
  const db = app.services["orders-db"]!;
  expect(db.environment).toEqual({ SIZE: "1g", PASSWORD: "o" });
  expect(app.services["users-db"]!.environment).toEqual({ SIZE: "3g", PASSWORD: "u" });
  expect(db.mounts[0]!.source).toBe("orders-data");
  expect(app.volumes["orders-data"]!.name).toBe("app_orders-data");
  expect(db.secrets).toEqual([{ source: "orders-pw", target: "/run/secrets/pw" }]);
  expect(db.links).toEqual(["orders-cache:cache"]);
  expect(db.networks).toEqual({ default: {}, "orders-default": { aliases: ["db"] } });
  const cache = app.services["orders-cache"]!;
  expect(app.services["orders-side"]).toMatchObject({ ipc: "service:orders-db", volumesFrom: ["orders-db"] });
  expect(Object.keys(cache.networks).sort()).toEqual(["default", "orders-default", "orders-inner"]);
  expect(app.params.map(({ name, value, source }) => [name, value, source])).toEqual([
    ["orders.size", "1g", "parent"],
    ["orders.password", undefined, "set"],
    ["users.size", "3g", "set"],
    ["users.password", undefined, "parent"],
  ]);
});

test("nested apps nest to any depth, with parameters passed on by variables", () => {
  const { app } = loadFiles({
    "compose.yaml":
      "x-berth: {params: {n: {default: '7'}}, include: [{path: mid.yaml, name: mid, params: {n: '${n}'}}]}",
    "mid.yaml":
      "x-berth: {params: {n: {type: int}}, include: [{path: leaf.yaml, name: leaf, params: {m: '${n}0'}}]}\nservices: {m: {image: 'm:${n}', depends_on: [leaf-l]}}",
    "leaf.yaml": "x-berth: {params: {m: {type: int}}}\nservices: {l: {image: 'l:${m}'}}",
  });
  expect(app.services["mid-leaf-l"]!.image).toBe("l:70");
  expect(app.services["mid-m"]!.dependsOn).toHaveProperty("mid-leaf-l");
  expect(app.services["mid-leaf-l"]!.networks).toEqual({
    default: {},
    "mid-default": { aliases: ["leaf-l"] },
    "mid-leaf-default": { aliases: ["l", "leaf-l"] },
  });
});

test("external things of a nested app keep their real names", () => {
  const { app } = loadFiles({
    "compose.yaml": "x-berth: {include: [{path: a.yaml, name: n}]}",
    "a.yaml": "services: {a: {image: a, volumes: [v:/v]}}\nvolumes: {v: {external: true}}",
  });
  expect(app.volumes["n-v"]).toMatchObject({ name: "v", external: true });
});

test("parameters of a plain include are those of the app itself", () => {
  const files = {
    "compose.yaml": "include: [a.yaml]\nx-berth: {params: {tag: }}\nservices: {w: {image: 'w:${tag}'}}",
    "a.yaml": "services: {a: {image: 'a:${tag}'}}",
  };
  const { app } = loadFiles(files, { set: { tag: "9" } });
  expect([app.services["a"]!.image, app.services["w"]!.image]).toEqual(["a:9", "w:9"]);
  expect(tryFiles(files).missing.map(({ name }) => name)).toEqual(["tag"]);
});
