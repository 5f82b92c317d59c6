import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContainerSpec } from "../../src/model/container.ts";
import { makeHost, type TestHost, until } from "./harness.ts";

let host: TestHost;
let containers: TestHost["engine"]["containers"];
beforeAll(async () => {
  host = await makeHost();
  containers = host.engine.containers;
});
afterAll(() => host[Symbol.asyncDispose]());

const shell = async (line: string, spec: Partial<ContainerSpec> = {}) =>
  (await host.run({ command: ["sh", "-c", line], ...spec })).output.trimEnd();

describe("what users of docker run rely on", () => {
  test("environment, directory, host name, entrypoint and labels", async () => {
    expect(
      await shell("echo $A-$PATH; pwd; hostname", { env: ["A=1"], workingDir: "/made/here", hostname: "box" }),
    ).toBe("1-/bin:/usr/bin\n/made/here\nbox");
    expect((await host.run({ entrypoint: ["echo", "fixed"], command: ["more"] })).output).toBe("fixed more\n");
    const id = await host.create({ labels: { a: "b" } });
    expect((await containers.inspect(id)).labels).toEqual({ a: "b" });
    expect((await containers.inspect(id)).spec.hostname).toBe(id.slice(0, 12));
  });

  test("user by name and number, with groups", async () => {
    expect(await shell("id -u; id -g; id -G", { user: "web", groups: ["0"] })).toBe("1000\n1000\n1000 0 50");
    expect(await shell("id -u; id -g", { user: "7:9" })).toBe("7\n9");
    const unknown = await host.create({ user: "nobody-knows" });
    await expect(containers.start(unknown)).rejects.toMatchObject({ code: "invalid" });
  });

  test("an init process reaps and passes signals on", async () => {
    const id = await host.start({ init: true, command: ["sleep", "1000"] });
    expect((await host.exec(id, "sh", "-c", "cat /proc/1/comm")).output).toMatch(/init|tini/);
    await containers.stop(id, { timeout_ms: 5000 });
    expect((await containers.inspect(id)).state.exitCode).toBe(143);
  });

  test("read-only root with a tmpfs to write to, and the size of shared memory", async () => {
    const line =
      "touch /x 2>/dev/null || echo ro; touch /tmp/x && echo ok; df -k /dev/shm | tail -1 | awk '{print $2}'";
    const mounts = [{ type: "tmpfs" as const, target: "/tmp" }];
    expect(await shell(line, { readOnlyRootfs: true, mounts, shmSize_bytes: 8 * 1024 ** 2 })).toBe("ro\nok\n8192");
  });

  test("limits of files, memory, processes and cpu are the kernel's", async () => {
    expect(await shell("ulimit -n", { ulimits: [{ name: "nofile", soft: 123, hard: 456 }] })).toBe("123");
    const id = await host.start({ resources: { memory_bytes: 48 * 1024 ** 2, pidsLimit: 20, nanoCpus: 0.5e9 } });
    expect(await containers.stats(id)).toMatchObject({ memoryLimit_bytes: 48 * 1024 ** 2, pidsLimit: 20 });
    await containers.remove(id, { force: true });
  });

  test("running out of memory is reported", async () => {
    const { id, exitCode } = await host.run({
      command: ["sh", "-c", "tail /dev/zero"],
      resources: { memory_bytes: 16 * 1024 ** 2, memorySwap_bytes: 16 * 1024 ** 2 },
    });
    expect(exitCode).toBe(137);
    expect((await containers.inspect(id)).state.oomKilled).toBe(true);
  });

  test("capabilities, no-new-privileges, seccomp, sysctls, devices and privileged", async () => {
    const caps = "grep CapEff /proc/self/status | cut -f2";
    expect(await shell(caps, { capDrop: ["ALL"] })).toBe("0000000000000000");
    expect(await shell(caps)).not.toBe(await shell(caps, { privileged: true }));
    expect(await shell("grep NoNewPrivs /proc/self/status | cut -f2", { securityOptions: ["no-new-privileges"] })).toBe(
      "1",
    );
    expect(await shell("grep Seccomp: /proc/self/status | cut -f2")).toBe("2");
    expect(await shell("cat /proc/sys/net/ipv4/ip_default_ttl", { sysctls: { "net.ipv4.ip_default_ttl": "33" } })).toBe(
      "33",
    );
    const devices = [{ hostPath: "/dev/zero", containerPath: "/dev/nothing", permissions: "r" }];
    expect(await shell("head -c 2 /dev/nothing | od -An -tx1", { devices })).toBe(" 00 00");
    await expect(host.create({ capAdd: ["NONSENSE"] })).rejects.toMatchObject({ code: "invalid" });
  });

  test("namespaces shared with another container or the host", async () => {
    const first = await host.start({ namespaces: { network: "none", ipc: "shareable" }, hostname: "donor" });

    const shared = { network: `container:${first}`, pid: `container:${first}`, ipc: `container:${first}` };
    const inner = (await shell("readlink /proc/self/ns/net; cat /proc/1/comm; hostname", { namespaces: shared })).split(
      "\n",
    );
    expect(inner[0]).toBe((await host.exec(first, "readlink", "/proc/self/ns/net")).output.trimEnd());
    expect(inner[1]).toBe("sleep");
    await host.exec(first, "touch", "/dev/shm/common");
    expect(await shell("ls /dev/shm", { namespaces: shared })).toBe("common");

    await containers.remove(first, { force: true });
    const orphan = await host.create({ namespaces: { network: "none" } });
    const needs = await host.create({ namespaces: { network: `container:${orphan}` } });
    await expect(containers.start(needs)).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("what is refused names its field, and leaves nothing", () => {
  const wrong: [string, Partial<ContainerSpec>][] = [
    ["env", { env: ["=x"] }],
    ["workingDir", { workingDir: "relative" }],
    ["hostname", { hostname: "-bad-" }],
    ["restart", { restart: { name: "always" }, autoRemove: true }],
    ["restart", { restart: { name: "always", maximumRetries: 3 } }],
    ["mounts", { mounts: [{ type: "tmpfs", target: "relative" }] }],
    ["mounts", { mounts: [{ type: "bind", source: "x", target: "/x" }] }],
    ["ports", { ports: [{ containerPort: 70000, protocol: "tcp" }] }],
    ["dns", { dns: ["not-an-address"] }],
    ["extraHosts", { extraHosts: ["no-address"] }],
    ["memory_bytes", { resources: { memory_bytes: 1000 } }],
    ["nanoCpus", { resources: { nanoCpus: 1000e9 } }],
    ["log option max-size", { log: { driver: "json-file", options: { "max-size": "lots" } } }],
    ["signal", { stopSignal: "NONSENSE" }],
  ];
  test.each(wrong)("%s", async (field, spec) => {
    await expect(host.create(spec)).rejects.toMatchObject({ code: "invalid", message: expect.stringContaining(field) });
    expect((await host.engine.system.check()).findings).toEqual([]);
  });

  test("a taken name says who has it, an unknown image that it is missing", async () => {
    const id = await host.create({ name: "taken" });
    await expect(host.create({ name: "taken" })).rejects.toMatchObject({
      code: "already_exists",
      message: expect.stringContaining(id.slice(0, 12)),
    });
    await expect(host.create({ image: "no-such-image" })).rejects.toMatchObject({ code: "not_found" });
    await expect(host.create({ namespaces: { network: "no-such-network" } })).rejects.toMatchObject({
      code: "not_found",
    });
    expect((await host.engine.system.check()).findings).toEqual([]);
  });

  test("of two who want one name at once, one gets it", async () => {
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => host.create({ name: "wanted" })));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await until(async () => (await containers.list({ all: true, filters: { name: ["^wanted$"] } })).length === 1);
    expect((await host.engine.system.check()).findings).toEqual([]);
  });
});
