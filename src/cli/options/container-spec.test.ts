import { Command } from "commander";
import { expect, test } from "vitest";
import { addContainerOptions } from "./container.ts";
import { type ContainerFlags, toContainerSpec } from "./container-spec.ts";

function parse(...argv: string[]) {
  let spec: ReturnType<typeof toContainerSpec> | undefined;
  const command = addContainerOptions(new Command("run")).exitOverride();
  command.action((image: string, args: string[], flags: ContainerFlags) => {
    spec = toContainerSpec(image, args, flags, { cwd: "/work", environment: { HOME: "/root" } });
  });
  command.parse(argv, { from: "user" });
  return spec!;
}

test("options end at the image: what follows belongs to the container's program", () => {
  const spec = parse("-it", "--name", "web", "busybox", "ls", "-l", "--name", "x");
  expect(spec).toMatchObject({
    image: "busybox",
    name: "web",
    tty: true,
    openStdin: true,
    command: ["ls", "-l", "--name", "x"],
  });
});

test("environment passes on own variables by name and leaves out unset ones", () => {
  expect(parse("-e", "A=1", "-e", "HOME", "-e", "NOT_SET", "busybox").env).toEqual(["A=1", "HOME=/root"]);
});

test("limits become numbers in their units", () => {
  expect(
    parse("-m", "512m", "--memory-swap", "-1", "--cpus", "1.5", "--pids-limit", "64", "busybox").resources,
  ).toMatchObject({
    memory_bytes: 512 * 1024 ** 2,
    memorySwap_bytes: -1,
    nanoCpus: 1_500_000_000,
    pidsLimit: 64,
  });
});

test("restart policies are Docker's, and one more", () => {
  expect(parse("--restart", "on-failure:3", "busybox").restart).toMatchObject({
    name: "on-failure",
    maximumRetries: 3,
  });
  expect(parse("--restart", "always", "--restart-on-unhealthy", "busybox").restart).toMatchObject({
    name: "always",
    onUnhealthy: true,
  });
  expect(() => parse("--restart", "sometimes", "busybox")).toThrow(/no restart policy/);
  expect(() => parse("--restart", "always:3", "busybox")).toThrow(/no restart policy/);
});

test("health flags make a check, and --no-healthcheck switches the image's off", () => {
  expect(
    parse("--health-cmd", "true", "--health-interval", "1m30s", "--health-retries", "2", "busybox").healthCheck,
  ).toMatchObject({
    test: ["CMD-SHELL", "true"],
    interval_ms: 90_000,
    retries: 2,
  });
  expect(parse("--no-healthcheck", "busybox").healthCheck).toEqual({ test: ["NONE"] });
  expect(parse("busybox").healthCheck).toBeUndefined();
});

test("the first network gets aliases and addresses; namespaces are no networks", () => {
  const spec = parse("--network", "front", "--network", "back", "--network-alias", "db", "--ip", "10.0.0.9", "busybox");
  expect(spec.endpoints).toMatchObject([{ network: "front", aliases: ["db"], ipv4: "10.0.0.9" }, { network: "back" }]);
  expect(parse("--network", "container:web", "busybox")).toMatchObject({
    endpoints: undefined,
    namespaces: { network: "container:web" },
  });
});

test.each([
  [["--ulimit", "nofile"], /NAME=SOFT/],
  [["-m", "lots"], /not a size/],
  [["--pids-limit", "few"], /not a whole number/],
  [["--log-driver", "syslog"], /not supported/],
  [["--stop-timeout", "soon"], /not a whole number/],
  [["-e", "=x"], /has no name/],
])("%j is refused by name", (flags, message) => {
  expect(() => parse(...flags, "busybox")).toThrow(message);
});
