import { expect, test } from "vitest";
import type { Endpoint } from "../../model/container.ts";
import { candidates, collide, portWishes } from "./port-plan.ts";

const endpoint = (addresses: Partial<Endpoint>): Endpoint => ({
  networkId: "n",
  networkName: "net",
  endpointId: "e",
  aliases: [],
  dnsNames: [],
  interfaceName: "eth0",
  macAddress: "",
  requested: { network: "net" },
  ...addresses,
});
const both = { ipv4: endpoint({ ipv4: "172.17.0.2" }), ipv6: endpoint({ ipv6: "fd00::2" }) };
const free = { first: 32768, last: 60999 };
const spec = { containerPort: 80, protocol: "tcp" } as const;

test("without a host address a port is published for every family that the container has", () => {
  expect(portWishes(spec, both, free).map(wish => wish.hostAddress)).toEqual(["0.0.0.0", "::"]);
  expect(portWishes(spec, { ipv4: both.ipv4 }, free).map(wish => wish.hostAddress)).toEqual(["0.0.0.0"]);
  expect(portWishes({ ...spec, hostAddress: "::" }, both, free).map(wish => wish.address)).toEqual(["fd00::2"]);
});

test("a network may say where ports go that name no address", () => {
  const wishes = portWishes(spec, { ...both, defaultHostAddress: "127.0.0.1" }, free);
  expect(wishes.map(wish => wish.hostAddress)).toEqual(["127.0.0.1"]);
});

test.each([
  [{ ...spec, hostAddress: "::1" }, both, "does not forward the IPv6 loopback"],
  [{ ...spec, hostAddress: "::" }, { ipv4: both.ipv4 }, "no IPv6 address"],
  [{ ...spec, containerPort: 0 }, both, "0 is not a port"],
  [{ ...spec, hostPort: 70_000 }, both, "70000 is not a port"],
])("what cannot be published is refused with the reason: %j", (wrong, targets, message) => {
  expect(() => portWishes(wrong, targets, free)).toThrow(message);
});

test("any port is searched from a random place and round; a range in order", () => {
  const any = portWishes(spec, both, { first: 10, last: 13 })[0]!;
  expect([...candidates(any, () => 0.5)]).toEqual([12, 13, 10, 11]);
  const range = portWishes({ ...spec, hostPort: 80, hostPortEnd: 82 }, both, free)[0]!;
  expect([...candidates(range, () => 0.9)]).toEqual([80, 81, 82]);
});

test("every address collides with each single one of its family, single ones only with themselves", () => {
  const port = (hostAddress: string, protocol: "tcp" | "udp" = "tcp") => ({
    containerPort: 1,
    hostPort: 80,
    hostAddress,
    protocol,
  });
  expect(collide(port("0.0.0.0"), port("127.0.0.1"))).toBe(true);
  expect(collide(port("127.0.0.1"), port("127.0.0.2"))).toBe(false);
  expect(collide(port("0.0.0.0"), port("::"))).toBe(false);
  expect(collide(port("::1"), port("0:0::1"))).toBe(true);
  expect(collide(port("0.0.0.0"), port("0.0.0.0", "udp"))).toBe(false);
});
