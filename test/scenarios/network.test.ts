import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PublishedPort } from "../../src/model/container.ts";
import { NetworkFixture } from "./network-fixture.ts";

let fixture: NetworkFixture;
beforeAll(() => {
  fixture = new NetworkFixture();
});
afterAll(() => fixture.close());

const tcp = (containerPort: number, hostPort?: number, hostAddress?: string) =>
  ({ containerPort, hostPort, hostAddress, protocol: "tcp" }) as const;

describe("addresses", () => {
  test("containers on the default bridge reach each other and the host", async () => {
    const one = await fixture.member("one", "bridge");
    const two = await fixture.member("two", "bridge");
    const [first, second] = [one.endpoints[0]!, two.endpoints[0]!];
    expect(first).toMatchObject({ interfaceName: "eth0", dnsNames: [] });
    expect(await fixture.pings(one, second.ipv4!)).toBe(true);
    expect(await fixture.pings(two, first.ipv4!)).toBe(true);
    expect(await fixture.pings(one, first.gateway!)).toBe(true);
    expect(await fixture.run(one, ["ip", "-6", "addr", "show", "eth0"])).toBe("");
    expect(fixture.networks.resolverAddress(one.endpoints)).toBeUndefined();
  });

  test("an address of one's own choice is given, and refused to a second container", async () => {
    await fixture.network("chosen", { pools: [{ subnet: "10.213.7.0/24", gateway: "10.213.7.254" }] });
    const one = await fixture.member("chooser", {
      network: "chosen",
      ipv4: "10.213.7.99",
      macAddress: "02-00-00-00-00-99",
    });
    expect(one.endpoints[0]).toMatchObject({
      ipv4: "10.213.7.99",
      gateway: "10.213.7.254",
      macAddress: "02:00:00:00:00:99",
      prefixLength: 24,
    });
    await expect(fixture.member("late", { network: "chosen", ipv4: "10.213.7.99" })).rejects.toMatchObject({
      code: "already_exists",
    });
    await expect(fixture.member("gate", { network: "chosen", ipv4: "10.213.7.254" })).rejects.toMatchObject({
      code: "invalid",
    });
    await expect(fixture.member("out", { network: "chosen", ipv4: "10.214.0.1" })).rejects.toMatchObject({
      code: "invalid",
    });
  });

  test("a pool that is used up says so, and gives the next address again as soon as one is back", async () => {
    await fixture.network("tiny", { pools: [{ subnet: "10.213.8.0/29", auxAddresses: { printer: "10.213.8.2" } }] });
    const members = await Promise.all([3, 4, 5, 6].map(last => fixture.member(`tiny${last}`, "tiny")));
    expect(members.map(member => member.endpoints[0]!.ipv4).sort()).toEqual(
      [3, 4, 5, 6].map(last => `10.213.8.${last}`),
    );
    await expect(fixture.member("over", "tiny")).rejects.toMatchObject({ code: "exhausted" });
    await fixture.networks.release(members[1]!.id);
    const next = await fixture.member("next", "tiny");
    expect(next.endpoints[0]!.ipv4).toBe(members[1]!.endpoints[0]!.ipv4);
  });

  test("a dual-stack network gives an IPv6 address of a unique local subnet that answers at once", async () => {
    await fixture.network("six", { enableIpv6: true });
    const one = await fixture.member("six1", "six");
    const two = await fixture.member("six2", "six");
    expect(two.endpoints[0]!.ipv6).toMatch(/^fd/);
    expect(await fixture.pings(one, two.endpoints[0]!.ipv6!)).toBe(true);
    expect(await fixture.run(one, ["ip", "-6", "route", "show", "default"])).toContain(one.endpoints[0]!.ipv6Gateway);
  });

  test("an option sets the MTU on both ends", async () => {
    await fixture.network("small", { options: { "com.docker.network.driver.mtu": "1280" } });
    const one = await fixture.member("small1", "small");
    expect(await fixture.run(one, ["ip", "link", "show", "eth0"])).toContain("mtu 1280");
  });
});

describe("several networks", () => {
  test("a running container joins and leaves; its default route follows priority, then the networks' names", async () => {
    for (const name of ["b-net", "a-net", "z-net"]) await fixture.network(name);
    const one = await fixture.member("mover", "b-net");
    const route = () => fixture.run(one, ["ip", "route", "show", "default"]);
    const b = one.endpoints[0]!;
    const a = await fixture.connect(one, { network: "a-net" });
    expect(a.interfaceName).toBe("eth1");
    expect(await route()).toContain(`via ${a.gateway} dev eth1`);
    const z = await fixture.connect(one, { network: "z-net", gatewayPriority: 10 });
    expect(await route()).toContain(`via ${z.gateway}`);
    await fixture.networks.disconnect(one.id, "z-net");
    await fixture.networks.disconnect(one.id, "a-net");
    expect(await route()).toContain(`via ${b.gateway} dev eth0`);
    expect(await fixture.run(one, ["ip", "-o", "link"])).not.toContain("eth1");
    await expect(fixture.connect(one, { network: "b-net" })).rejects.toMatchObject({ code: "already_exists" });
  });

  test("containers of different networks do not reach each other", async () => {
    const [one] = [await fixture.member("apart1", "a-net")];
    const two = await fixture.member("apart2", "b-net");
    expect(await fixture.pings(one!, two.endpoints[0]!.ipv4!)).toBe(false);
    expect(await fixture.pings(one!, two.endpoints[0]!.gateway!)).toBe(true);
  });

  test("without enable_icc the containers of one network do not reach each other, only the host", async () => {
    await fixture.network("strangers", { options: { "com.docker.network.bridge.enable_icc": "false" } });
    const one = await fixture.member("stranger1", "strangers");
    const two = await fixture.member("stranger2", "strangers");
    expect(await fixture.pings(one, two.endpoints[0]!.ipv4!)).toBe(false);
    expect(await fixture.pings(one, one.endpoints[0]!.gateway!)).toBe(true);
  });

  test("a network in use is not removed, and says who uses it; an unused one is, with its bridge", async () => {
    const id = (await fixture.networks.get("strangers")).id;
    await expect(fixture.networks.remove("strangers")).rejects.toThrow(
      /stranger1, stranger2 are connected|stranger2, stranger1 are connected/,
    );
    for (const { containerId } of await fixture.networks.members(id)) await fixture.networks.release(containerId);
    const { interfaceName } = await fixture.networks.get("strangers");
    await fixture.networks.remove("strangers");
    expect(await fixture.run(undefined, ["ip", "-br", "link"])).not.toContain(interfaceName);
    await expect(fixture.networks.get("strangers")).rejects.toMatchObject({ code: "not_found" });
    await expect(fixture.networks.remove("bridge")).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("choosing subnets", () => {
  test("two instances at once never take the same subnet, nor one that the host has a route to", async () => {
    const other = new NetworkFixture();
    try {
      const names = Array.from({ length: 5 }, (_, at) => `parallel${at}`);
      await Promise.all([...names.map(name => fixture.network(name)), ...names.map(name => other.network(name))]);
      const subnets = [...(await fixture.networks.list()), ...(await other.networks.list())].flatMap(each =>
        each.pools.map(pool => pool.subnet),
      );
      expect(new Set(subnets).size).toBe(subnets.length);
      expect(subnets).not.toContain("192.0.2.0/24");
      await expect(other.network("taken", { pools: [{ subnet: subnets[0]! }] })).rejects.toMatchObject({
        code: "conflict",
      });
    } finally {
      await other.close();
    }
  });

  test("a name is taken once, and networks are found by name, id and the beginning of the id", async () => {
    const { id } = await fixture.networks.get("parallel0");
    await expect(fixture.network("parallel0")).rejects.toMatchObject({ code: "already_exists" });
    expect((await fixture.networks.get(id.slice(0, 12))).name).toBe("parallel0");
    expect((await fixture.networks.get("host")).driver).toBe("host");
    expect(await fixture.networks.prune({ keep: network => !network.name.startsWith("parallel") })).toHaveLength(5);
  });
});

describe("published ports", () => {
  test("answer on 127.0.0.1, on the host's addresses, in containers, and in the container itself", async () => {
    const web = await fixture.member("web", "bridge");
    const client = await fixture.member("client", "bridge");
    await fixture.serve(web, "tcp", 80);
    const [port] = await fixture.networks.publish(web.id, web.endpoints, [tcp(80)]);
    const { gateway } = web.endpoints[0]!;
    expect(port).toMatchObject({ containerPort: 80, protocol: "tcp", hostAddress: "0.0.0.0" });
    expect(await fixture.ask(undefined, "tcp", "127.0.0.1", port!.hostPort)).toBe(gateway);
    expect(await fixture.ask(undefined, "tcp", gateway!, port!.hostPort)).not.toBe("");
    expect(await fixture.ask(client, "tcp", gateway!, port!.hostPort)).toBe(gateway);
    expect(await fixture.ask(web, "tcp", gateway!, port!.hostPort)).toBe(gateway);
    await fixture.networks.unpublish(web.id);
    expect(await fixture.ask(undefined, "tcp", "127.0.0.1", port!.hostPort)).toBe("");
  });

  test("a client on another host reaches them and is seen with its own address; unpublished ones it does not reach", async () => {
    const web = await fixture.member("web2", "bridge");
    await fixture.serve(web, "tcp", 80);
    const [port] = await fixture.networks.publish(web.id, web.endpoints, [tcp(80)]);
    const outside = await fixture.outsideHost();
    expect(await fixture.ask(outside, "tcp", outside.hostAddress, port!.hostPort)).toBe(outside.address);
    expect(await fixture.ask(outside, "tcp", web.endpoints[0]!.ipv4!, 80, 500)).toBe("");
    expect(await fixture.pings(outside, outside.hostAddress)).toBe(true);
    // And the other way: containers reach other hosts, with the host's address.
    await fixture.serve(outside, "tcp", 8080);
    expect(await fixture.ask(web, "tcp", outside.address, 8080)).toBe(outside.hostAddress);
  });

  test("UDP too, from inside and outside, with the answers coming from where they were asked", async () => {
    const dns = await fixture.member("udp", "bridge");
    await fixture.serve(dns, "udp", 5353, "0.0.0.0");
    const [port] = await fixture.networks.publish(dns.id, dns.endpoints, [{ containerPort: 5353, protocol: "udp" }]);
    const outside = await fixture.outsideHost();
    expect(await fixture.ask(undefined, "udp", "127.0.0.1", port!.hostPort)).toBe(dns.endpoints[0]!.gateway);
    expect(await fixture.ask(outside, "udp", outside.hostAddress, port!.hostPort)).toBe(outside.address);
  });

  test("a UDP client that keeps its socket reaches the container that has the port now", async () => {
    const first = await fixture.member("first", "bridge");
    const second = await fixture.member("second", "bridge");
    await fixture.serve(first, "udp", 7000, "0.0.0.0");
    await fixture.serve(second, "udp", 7000, "0.0.0.0");
    const outside = await fixture.outsideHost();
    const ask = () => fixture.run(outside, [process.execPath, "-e", fromPort(5000), outside.hostAddress, String(port)]);
    const [{ hostPort: port }] = (await fixture.networks.publish(first.id, first.endpoints, [
      { containerPort: 7000, protocol: "udp" },
    ])) as [PublishedPort];
    expect(await ask()).toBe("answered");
    await fixture.networks.release(first.id);
    await fixture.networks.publish(second.id, second.endpoints, [
      { containerPort: 7000, hostPort: port, protocol: "udp" },
    ]);
    expect(await ask()).toBe("answered");
  });

  test("on one address of the host only that address answers", async () => {
    const web = await fixture.member("local", "bridge");
    await fixture.serve(web, "tcp", 80);
    const [port] = await fixture.networks.publish(web.id, web.endpoints, [tcp(80, undefined, "127.0.0.1")]);
    expect(await fixture.ask(undefined, "tcp", "127.0.0.1", port!.hostPort)).not.toBe("");
    const outside = await fixture.outsideHost();
    expect(await fixture.ask(outside, "tcp", outside.hostAddress, port!.hostPort, 500)).toBe("");
  });

  test("a container cannot reach what listens on the host's 127.0.0.1 by sending there", async () => {
    const spy = await fixture.member("spy", "bridge");
    await fixture.serve(undefined, "tcp", 47_111, "127.0.0.1");
    await fixture.run(spy, ["sysctl", "-qw", "net.ipv4.conf.eth0.route_localnet=1"]);
    await fixture.run(spy, ["ip", "addr", "del", "127.0.0.1/8", "dev", "lo"]);
    await fixture.run(spy, ["ip", "route", "add", "127.0.0.1/32", "via", spy.endpoints[0]!.gateway!]);
    expect(await fixture.ask(spy, "tcp", "127.0.0.1", 47_111, 500)).toBe("");
  });

  test("ranges give each container the next free port, and are changed by publishing again", async () => {
    const one = await fixture.member("range1", "bridge");
    const two = await fixture.member("range2", "bridge");
    const range = { ...tcp(80, 41_200), hostPortEnd: 41_201 };
    expect(await fixture.networks.publish(one.id, one.endpoints, [range])).toMatchObject([{ hostPort: 41_200 }]);
    expect(await fixture.networks.publish(two.id, two.endpoints, [range])).toMatchObject([{ hostPort: 41_201 }]);
    await expect(fixture.networks.publish(two.id, two.endpoints, [range, range])).rejects.toMatchObject({
      code: "in_use",
    });
    expect(await fixture.networks.publish(one.id, one.endpoints, [tcp(80, 41_205)])).toMatchObject([
      { hostPort: 41_205 },
    ]);
    expect(await fixture.networks.publish(two.id, two.endpoints, [tcp(80, 41_200)])).toMatchObject([
      { hostPort: 41_200 },
    ]);
  });

  test("a port that somebody holds is refused with the holder's name: a container, or a program on the host", async () => {
    const one = await fixture.member("holder", "bridge");
    const two = await fixture.member("wanter", "bridge");
    await fixture.networks.publish(one.id, one.endpoints, [tcp(80, 41_210)]);
    await expect(fixture.networks.publish(two.id, two.endpoints, [tcp(80, 41_210, "127.0.0.1")])).rejects.toThrow(
      /container holder has published it/,
    );
    await fixture.serve(undefined, "tcp", 41_211, "127.0.0.1");
    await expect(fixture.networks.publish(two.id, two.endpoints, [tcp(80, 41_211)])).rejects.toThrow(
      /\w+ \(process \d+\) listens there/,
    );
    await expect(fixture.networks.publish(two.id, two.endpoints, [tcp(80, 41_212, "203.0.113.9")])).rejects.toThrow(
      /not an address of this host/,
    );
  });

  test("containers that share a port answer by chance, and the rest goes on when one leaves", async () => {
    await fixture.network("shared-a");
    await fixture.network("shared-b");
    const members = [await fixture.member("shared1", "shared-a"), await fixture.member("shared2", "shared-b")];
    for (const member of members) {
      await fixture.serve(member, "tcp", 80);
      await fixture.networks.publish(member.id, member.endpoints, [{ ...tcp(80, 41_220), shared: "shop/web" }]);
    }
    const stranger = await fixture.member("stranger", "bridge");
    await expect(fixture.networks.publish(stranger.id, stranger.endpoints, [tcp(80, 41_220)])).rejects.toThrow(
      /has published it/,
    );
    // Each sees the gateway of its own network as the client: so the answer tells who gave it.
    const gateways = members.map(({ endpoints }) => endpoints[0]!.gateway);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => fixture.ask(undefined, "tcp", "127.0.0.1", 41_220)),
    );
    expect(new Set(answers)).toEqual(new Set(gateways));
    await fixture.networks.unpublish(members[0]!.id);
    const rest = await Promise.all(Array.from({ length: 5 }, () => fixture.ask(undefined, "tcp", "127.0.0.1", 41_220)));
    expect(new Set(rest)).toEqual(new Set([gateways[1]]));
    await fixture.networks.unpublish(members[1]!.id);
    expect(await fixture.ask(undefined, "tcp", "127.0.0.1", 41_220)).toBe("");
  });

  test("IPv6: another host reaches the container's port on the host's IPv6 address", async () => {
    const web = await fixture.member("web6", "six");
    await fixture.serve(web, "tcp", 80);
    const ports = await fixture.networks.publish(web.id, web.endpoints, [tcp(80)]);
    expect(ports.map(port => port.hostAddress)).toEqual(["0.0.0.0", "::"]);
    expect(ports[0]!.hostPort).toBe(ports[1]!.hostPort);
    const outside = await fixture.outsideHost();
    expect(await fixture.ask(outside, "tcp", outside.hostAddress6, ports[1]!.hostPort)).toBe(outside.address6);
    expect(await fixture.ask(undefined, "tcp", web.endpoints[0]!.ipv6Gateway!, ports[1]!.hostPort)).not.toBe("");
  });
});

test("an internal network has no way out and no way in, but its members reach each other", async () => {
  await fixture.network("inside", { internal: true });
  const one = await fixture.member("inner1", "inside");
  const two = await fixture.member("inner2", "inside");
  const outside = await fixture.outsideHost();
  expect(await fixture.pings(one, two.endpoints[0]!.ipv4!)).toBe(true);
  expect(await fixture.run(one, ["ip", "route", "show", "default"])).toBe("");
  await fixture.run(one, [
    "ip",
    "route",
    "add",
    "default",
    "via",
    (await fixture.networks.get("inside")).pools[0]!.gateway!,
  ]);
  expect(await fixture.pings(one, outside.address)).toBe(false);
  expect(await fixture.networks.publish(one.id, one.endpoints, [tcp(80)])).toEqual([]);
});

/** A UDP client that always asks from the same port, so that the kernel takes all its questions for one conversation. */
const fromPort = (port: number) => `
  const socket = require("dgram").createSocket("udp4");
  const timer = setTimeout(() => { console.log("silence"); process.exit(0); }, 2000);
  socket.on("message", () => { console.log("answered"); process.exit(0); });
  socket.bind(${port}, () => socket.send("hello", Number(process.argv[2]), process.argv[1]));`;
