import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newId } from "../../src/base/ids.ts";
import { NetworkFixture } from "./network-fixture.ts";

let fixture: NetworkFixture;
beforeEach(() => {
  fixture = new NetworkFixture({ resolverCommand: undefined });
});
afterEach(() => fixture.close());

const web = { containerPort: 80, protocol: "tcp" } as const;
const links = () => fixture.run(undefined, ["ip", "-br", "link"]);

test("a healthy host has nothing to report", async () => {
  const one = await fixture.member("one", "bridge");
  await fixture.networks.publish(one.id, one.endpoints, [web]);
  expect(await fixture.networks.check(new Set([one.id]))).toEqual([]);
});

test("what a container left that exists no more is found, named and removed, and others keep running", async () => {
  const gone = await fixture.member("gone", "bridge");
  const kept = await fixture.member("kept", "bridge");
  await fixture.networks.publish(gone.id, gone.endpoints, [web]);
  const [port] = await fixture.networks.publish(kept.id, kept.endpoints, [web]);
  const exist = new Set([kept.id]);
  const report = (await fixture.networks.check(exist)).join("\n");
  expect(report).toContain(`the network namespace of container ${gone.id.slice(0, 12)}`);
  expect(report).toContain(`ports of container ${gone.id.slice(0, 12)}`);
  expect(report).toContain(`the endpoint of container ${gone.id.slice(0, 12)} in the network bridge`);
  await fixture.networks.check(exist, { repair: true });
  expect(await fixture.networks.check(exist)).toEqual([]);
  await fixture.serve(kept, "tcp", 80);
  expect(await fixture.ask(undefined, "tcp", "127.0.0.1", port!.hostPort)).not.toBe("");
});

test("traces that only the kernel or only a directory has are found too", async () => {
  const one = await fixture.member("one", "bridge");
  const { networkId } = one.endpoints[0]!;
  const state = join(fixture.directory, "run");
  symlinkSync(newId(), join(state, "leases", networkId, "172.99.0.9"));
  rmSync(join(state, "endpoints", networkId, `${one.id}.json`));
  mkdirSync(join(state, "netns"), { recursive: true });
  writeFileSync(join(state, "netns", newId()), "");
  const { interfaceName } = await fixture.networks.get("bridge");
  await fixture.run(undefined, [
    "nft",
    "add",
    "element",
    "inet",
    `berth-${fixture.instance}`,
    "ports4",
    "{ tcp . 9 : 172.99.0.9 . 9 }",
  ]);
  const report = (await fixture.networks.check(new Set([one.id]), { repair: true })).join("\n");
  expect(report).toContain("the address 172.99.0.9 is taken");
  expect(report).toContain("of container " + one.id.slice(0, 12) + " is left over");
  expect(report).toContain("there is no such container");
  expect(report).toContain("a rule that is recorded nowhere: ports4 6 . 9 : 172.99.0.9 . 9");
  expect(await fixture.networks.check(new Set([one.id]))).toEqual([]);
  expect(await links()).toContain(interfaceName);
});

test("a flushed firewall is reported and restored: published ports answer again", async () => {
  const one = await fixture.member("one", "bridge");
  await fixture.serve(one, "tcp", 80);
  const [port] = await fixture.networks.publish(one.id, one.endpoints, [web]);
  await fixture.run(undefined, ["nft", "delete", "table", "inet", `berth-${fixture.instance}`]);
  expect(await fixture.ask(undefined, "tcp", "127.0.0.1", port!.hostPort)).toBe("");
  expect((await fixture.networks.check(new Set([one.id]))).join()).toContain("is missing in the firewall");
  await fixture.networks.restore();
  expect(await fixture.networks.check(new Set([one.id]))).toEqual([]);
  expect(await fixture.ask(undefined, "tcp", "127.0.0.1", port!.hostPort)).not.toBe("");
});

test("after a reboot networks keep their subnets, and come up with the first container", async () => {
  await fixture.network("lasting");
  const before = await fixture.networks.get("lasting");
  const one = await fixture.member("one", "lasting");
  // A reboot forgets processes, the kernel's networks and /run.
  await fixture.networks.release(one.id);
  await fixture.run(undefined, ["ip", "link", "delete", before.interfaceName]);
  await fixture.run(undefined, ["nft", "delete", "table", "inet", `berth-${fixture.instance}`]);
  rmSync(join(fixture.directory, "run"), { recursive: true });
  await fixture.networks.restore();
  expect(await fixture.networks.get("lasting")).toEqual(before);
  const two = await fixture.member("two", "lasting");
  expect(await fixture.pings(two, before.pools[0]!.gateway!)).toBe(true);
});

test("with the last container gone, repair takes bridges and rules out of the kernel; they come back when needed", async () => {
  const one = await fixture.member("one", "bridge");
  const { interfaceName } = await fixture.networks.get("bridge");
  await fixture.networks.release(one.id);
  await fixture.networks.check(new Set(), { repair: true });
  expect(await links()).not.toContain(interfaceName);
  expect(await fixture.run(undefined, ["nft", "list", "tables"])).not.toContain(fixture.instance);
  const two = await fixture.member("two", "bridge");
  expect(await fixture.pings(two, two.endpoints[0]!.gateway!)).toBe(true);
});

test("kill -9 at any moment leaves only what repair removes, and nothing stays locked", async () => {
  const directories = [join(fixture.directory, "networks"), join(fixture.directory, "run")];
  const survivor = await fixture.member("survivor", "bridge");
  const exist = new Set([survivor.id]);
  for (let attempt = 0; attempt < 15; attempt++) {
    const worker = spawn(
      process.execPath,
      [join(import.meta.dirname, "network-kill-worker.ts"), ...directories, fixture.instance],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const ended = once(worker, "exit");
    await once(worker.stdout, "data");
    // Spread over a whole round of the worker, some 0.1 s.
    await new Promise(resolve => setTimeout(resolve, (attempt * 37) % 110));
    worker.kill("SIGKILL");
    await ended;
    await fixture.networks.check(exist, { repair: true });
    expect(await fixture.networks.check(exist), `after kill ${attempt}`).toEqual([]);
    await fixture.networks.prune({});
  }
  expect((await fixture.networks.list()).map(network => network.name)).toEqual(["bridge", "host", "none"]);
  expect(await fixture.pings(survivor, survivor.endpoints[0]!.gateway!)).toBe(true);
});
