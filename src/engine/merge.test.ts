import { expect, test } from "vitest";
import type { ContainerSpec } from "../model/container.ts";
import type { ImageRunConfig } from "../model/image.ts";
import { mergeImage } from "./merge.ts";

const image: ImageRunConfig = {
  Entrypoint: ["/entry"],
  Cmd: ["default"],
  Env: ["PATH=/bin", "A=image"],
  Labels: { from: "image", kept: "yes" },
  ExposedPorts: { "80/tcp": {}, "53/udp": {} },
  WorkingDir: "/srv",
  User: "web",
  StopSignal: "SIGQUIT",
  Healthcheck: { Test: ["CMD", "true"], Interval: 5e9, Retries: 7 },
};
const plain: ContainerSpec = {
  image: "app",
  env: [],
  labels: {},
  mounts: [],
  ports: [],
  namespaces: {},
  resources: {},
  restart: { name: "no" },
  log: { driver: "", options: {} },
};
const merge = (spec: Partial<ContainerSpec>, config = image) => mergeImage({ ...plain, ...spec }, config, "app");

test("the image's entrypoint and command run when nothing is said", () => {
  expect(merge({}).args).toEqual(["/entry", "default"]);
});

test("a command replaces the image's; an entrypoint of one's own drops the image's command", () => {
  expect(merge({ command: ["mine"] }).args).toEqual(["/entry", "mine"]);
  expect(merge({ entrypoint: ["sh"] }).args).toEqual(["sh"]);
  expect(merge({ entrypoint: ["sh"], command: ["-c", "x"] }).args).toEqual(["sh", "-c", "x"]);
});

test("an empty entrypoint drops the image's; [''] drops its command too", () => {
  expect(merge({ entrypoint: [] }).args).toEqual(["default"]);
  expect(merge({ entrypoint: [""], command: ["ls"] }).args).toEqual(["ls"]);
  expect(() => merge({ entrypoint: [""] })).toThrow(/names no command/);
});

test("environment and labels of one's own win, and a bare name takes the image's variable away", () => {
  expect(merge({ env: ["A=mine", "B=2"] }).env).toEqual(["A=mine", "B=2", "PATH=/bin"]);
  expect(merge({ env: ["A"] }).env).toEqual(["PATH=/bin"]);
  expect(merge({ labels: { from: "user" } }).labels).toEqual({ from: "user", kept: "yes" });
});

test("directory, user, stop signal and ports come from the image unless said otherwise", () => {
  expect(merge({})).toMatchObject({ workingDir: "/srv", user: "web", stopSignal: "SIGQUIT", stopTimeout_ms: 10_000 });
  expect(merge({ workingDir: "/x", user: "0", stopSignal: "TERM", stopTimeout_ms: 1 })).toMatchObject({
    workingDir: "/x",
    user: "0",
    stopSignal: "TERM",
    stopTimeout_ms: 1,
  });
  const ports = [{ containerPort: 443, protocol: "tcp" as const }];
  expect(merge({ ports, exposedPorts: ["81"] }).exposedPorts).toEqual(["80/tcp", "53/udp", "81/tcp", "443/tcp"]);
});

test("a health check of one's own takes from the image what it leaves open", () => {
  expect(merge({}).healthCheck).toMatchObject({ test: ["CMD", "true"], interval_ms: 5000, retries: 7 });
  expect(merge({ healthCheck: { test: [], retries: 2 } }).healthCheck).toMatchObject({
    test: ["CMD", "true"],
    retries: 2,
  });
  expect(merge({ healthCheck: { test: ["NONE"] } }).healthCheck?.test).toEqual(["NONE"]);
  expect(merge({ healthCheck: { test: [] } }, { Cmd: ["x"] }).healthCheck).toBeUndefined();
});
