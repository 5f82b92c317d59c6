import { expect, test } from "vitest";
import { loadFiles } from "../testing/app-files.ts";

/** 1,000 services with anchors, extends and an env file each. */
function thousand(): Record<string, string> {
  const files: Record<string, string> = {};
  let text =
    "x-common: &common\n  restart: always\n  logging:\n    driver: json-file\n    options: {max-size: 10m}\nservices:\n  base: {image: busybox}\n";
  for (let index = 0; index < 1_000; index++) {
    files[`env/${index}.env`] = `INDEX=${index}\nQUOTED="a b"\n`;
    text += `  service${index}:
    <<: *common
    extends: base
    command: ["sleep", "inf"]
    environment:
      - A=\${A:-x}
      - NAME=service${index}
    env_file: env/${index}.env
    ports: ["${10_000 + index}:80"]
    volumes:
      - data:/data
      - ./conf:/etc/conf:ro
    depends_on:
      base:
        condition: service_started
    healthcheck: {test: [CMD, "true"], interval: 10s}
    labels: {a: b}
`;
  }
  return { ...files, "compose.yaml": `${text}volumes: {data: }\n` };
}

test("1,000 services with anchors, extends and env files load in about a second of one processor", () => {
  const files = thousand();
  const before = process.cpuUsage();
  const { app } = loadFiles(files);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(3_000);
  expect(Object.keys(app.services)).toHaveLength(1_001);
  expect(app.services["service999"]).toMatchObject({
    restart: { name: "always" },
    environment: { INDEX: "999", A: "x" },
  });
});
