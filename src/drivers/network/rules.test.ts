import { expect, test } from "vitest";
import { addNetwork, addPorts, balancePorts, deletePorts, elementsIn, replaceAll } from "./rules.ts";

const network = {
  bridge: "berth0",
  internal: false,
  masquerade: true,
  subnets4: ["172.17.0.0/16"],
  subnets6: ["fd01::/64"],
};
const port = { protocol: "tcp", hostPort: 8080, address: "172.17.0.2", port: 80 } as const;

test("a network is some elements", () => {
  expect(addNetwork("berth", network)).toBe(
    `add element inet berth bridges { "berth0" }
add element inet berth within { "berth0" . "berth0" }
add element inet berth subnets4 { 172.17.0.0/16 }
add element inet berth subnets6 { fd01::/64 }
add element inet berth masquerade4 { 172.17.0.0/16 }
add element inet berth masquerade6 { fd01::/64 }
`,
  );
});

test("an internal network is never masqueraded, since nothing leaves it", () => {
  const text = addNetwork("berth", { ...network, internal: true });
  expect(text).toContain('internal { "berth0" }');
  expect(text).not.toContain("masquerade");
});

test("a published port is one element of the map for its family and host address", () => {
  expect(
    addPorts("berth", [port, { ...port, hostAddress: "127.0.0.1", protocol: "udp" }, { ...port, address: "fd01::2" }]),
  ).toBe(
    `add element inet berth ports4 { tcp . 8080 : 172.17.0.2 . 80 }
add element inet berth addressed4 { 127.0.0.1 . udp . 8080 : 172.17.0.2 . 80 }
add element inet berth ports6 { tcp . 8080 : fd01::2 . 80 }
`,
  );
  expect(deletePorts("berth", [port])).toBe("delete element inet berth ports4 { tcp . 8080 : 172.17.0.2 . 80 }\n");
});

test("everything is replaced in one script, so that no packet finds rules missing", () => {
  const text = replaceAll("berth-x", [network], [port]);
  expect(text.startsWith("table inet berth-x\ndelete table inet berth-x\ntable inet berth-x {")).toBe(true);
  expect(elementsIn(text).size).toBe(7);
});

test("nft's listing and our script are compared in one spelling", () => {
  const listing = `table inet berth {
	map ports4 {
		type inet_proto . inet_service : ipv4_addr . inet_service
		elements = { 6 . 8080 : 172.17.0.2 . 80,
			     17 . 53 : 172.17.0.3 . 53 }
	}
	set internal {
		type ifname
	}
}`;
  expect(elementsIn(listing)).toEqual(
    new Set(["ports4 6 . 8080 : 172.17.0.2 . 80", "ports4 17 . 53 : 172.17.0.3 . 53"]),
  );
  expect(elementsIn(addPorts("berth", [port]))).toEqual(new Set(["ports4 6 . 8080 : 172.17.0.2 . 80"]));
});

test("a shared port has one chain that leads to all who have it, and goes with the last", () => {
  const shared = { protocol: "tcp", hostPort: 8080, port: 80, shared: "shop/web" } as const;
  const [one, two] = [
    { ...shared, address: "172.17.0.2" },
    { ...shared, address: "172.17.0.3" },
  ];
  expect(addPorts("berth", [one])).toBe("");
  const text = balancePorts("berth", [two], [one, two]);
  expect(text).toContain("numgen random mod 2 map { 0 : 172.17.0.2 . 80, 1 : 172.17.0.3 . 80 }");
  expect(elementsIn(text)).toEqual(new Set(["balanced 6 . 8080 : goto balance_tcp_8080"]));
  expect(balancePorts("berth", [one], [])).toContain("delete chain inet berth balance_tcp_8080");
});
