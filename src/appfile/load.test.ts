import { expect, test } from "vitest";
import { loadFiles } from "../testing/app-files.ts";

test("a file of a few services becomes an app with real names, typed values and the default network", () => {
  const { app } = loadFiles(`
services:
  web:
    image: nginx:1.27
    command: sh -c "echo 'hi there'"
    ports: ["127.0.0.1:8080:80"]
    mem_limit: 1.5g
    depends_on: [db]
  db:
    image: redis
    volumes: [data:/data]
volumes:
  data:
`);
  expect(app.name).toBe("app");
  expect(app.services["web"]).toMatchObject({
    command: ["sh", "-c", "echo 'hi there'"],
    ports: [{ hostAddress: "127.0.0.1", hostPort: 8080, containerPort: 80, protocol: "tcp" }],
    resources: { memory_bytes: 1.5 * 1024 ** 3 },
    dependsOn: { db: { condition: "service_started", required: true } },
    networks: { default: {} },
  });
  expect(app.services["db"]!.mounts).toEqual([{ type: "volume", source: "data", target: "/data" }]);
  expect(app.networks["default"]!.name).toBe("app_default");
  expect(app.volumes["data"]!.name).toBe("app_data");
});
