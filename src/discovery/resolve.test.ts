import type { Question } from "dns-packet";
import { beforeEach, describe, expect, test } from "vitest";
import { type NameRecord, NameTable } from "./name-table.ts";
import { resolve } from "./resolve.ts";

let table: NameTable;
const record = (
  containerId: string,
  network: string,
  names: string[],
  ipv4?: string,
  more: Partial<NameRecord> = {},
): NameRecord => ({
  containerId,
  netnsPath: "",
  internal: false,
  endpoint: { networkId: network, networkName: network, dnsNames: names, ipv4, ipv6: undefined },
  ...more,
});
const ask = (asker: string, name: string, type: Question["type"] | "ANY" = "A", random = () => 0) =>
  resolve(table, asker, { name, type: type as Question["type"] }, random);
const data = (asker: string, name: string, type: Question["type"] | "ANY" = "A", random = () => 0) => {
  const resolution = ask(asker, name, type, random);
  return resolution.kind === "answer"
    ? resolution.answers.map(answer => ("data" in answer ? answer.data : undefined))
    : resolution.kind;
};

beforeEach(() => {
  table = new NameTable();
  table.set("web", [record("web", "front", ["web", "www"], "10.0.0.2")]);
  table.set("db", [record("db", "back", ["db"], "10.1.0.2")]);
  table.set("app", [record("app", "front", ["app"], "10.0.0.3"), record("app", "back", ["app"], "10.1.0.3")]);
});

describe("names", () => {
  test("are those of the asker's networks, without regard to case", () => {
    expect(data("web", "APP")).toEqual(["10.0.0.3"]);
    expect(data("web", "db")).toBe("forward");
    expect(data("app", "db")).toEqual(["10.1.0.2"]);
    expect([...data("db", "app.back")].join()).toBe("10.1.0.3");
    expect(data("app", "app.front")).toEqual(["10.0.0.3"]);
  });

  test("of several containers give all addresses, in an order that chance decides", () => {
    table.set("web2", [record("web2", "front", ["web2", "www"], "10.0.0.4")]);
    expect(data("app", "www", "A", () => 0.99)).toEqual(["10.0.0.2", "10.0.0.4"]);
    expect(data("app", "www", "A", () => 0)).toEqual(["10.0.0.4", "10.0.0.2"]);
  });

  test("that exist without an address of the wanted kind give an empty answer, others are asked of others", () => {
    expect(data("app", "web", "AAAA")).toEqual([]);
    expect(data("app", "web", "MX")).toEqual([]);
    expect(data("app", "example.org", "AAAA")).toBe("forward");
  });

  test("go with the container, and with the network it leaves", () => {
    table.set("app", [record("app", "front", ["app"], "10.0.0.3")]);
    expect(data("db", "app")).toBe("forward");
    table.set("web", []);
    expect(data("app", "web")).toBe("forward");
    expect(data("app", "2.0.0.10.in-addr.arpa", "PTR")).toBe("forward");
  });

  test("linked to another container resolve for the one that has the link", () => {
    table.set("app", [record("app", "back", ["app"], "10.1.0.3", { links: ["db:database"] })]);
    expect(data("app", "database")).toEqual(["10.1.0.2"]);
    expect(data("db", "database")).toBe("forward");
  });
});

test("addresses lead back to names, IPv6 ones too", () => {
  const six = record("six", "front", ["six"]);
  table.set("six", [{ ...six, endpoint: { ...six.endpoint, ipv6: "fd00::2" } }]);
  expect(data("app", "2.0.0.10.in-addr.arpa", "PTR")).toEqual(["web.front"]);
  expect(data("app", `2.${"0.".repeat(29)}d.f.ip6.arpa`, "PTR")).toEqual(["six.front"]);
  expect(data("db", "2.0.0.10.in-addr.arpa", "PTR")).toBe("forward");
  expect(data("app", "six", "ANY")).toEqual(["fd00::2"]);
});

test("a container in internal networks alone learns nothing from outside", () => {
  table.set("app", [record("app", "front", ["app"], "10.0.0.3", { internal: true })]);
  expect(data("app", "example.org")).toBe("no-name");
  expect(data("app", "web")).toEqual(["10.0.0.2"]);
});

describe("SRV records", () => {
  const serving = (id: string, ipv4: string, portNames?: Record<string, string>) => {
    const made = record(id, "front", [id, "www"], ipv4, { exposedPorts: ["80/tcp", "8000-8002/udp"] });
    return [{ ...made, endpoint: { ...made.endpoint, requested: { portNames } } }];
  };
  beforeEach(() => {
    table.set("web", serving("web", "10.0.0.2", { "80/tcp": "http" }));
    table.set("web2", serving("web2", "10.0.0.4", { "80/tcp": "http" }));
  });
  const [one, other] = ["web", "web2"].map(id => ({ target: `${id}.front`, port: 80, priority: 0, weight: 0 }));

  test("lead to each task of a service by a port's number or name, in an order that chance decides", () => {
    expect(data("app", "_80._tcp.www", "SRV", () => 0.99)).toEqual([one, other]);
    expect(data("app", "_HTTP._tcp.www.front", "SRV", () => 0)).toEqual([other, one]);
    expect(data("app", "_8001._udp.web", "SRV")).toMatchObject([{ target: "web.front", port: 8001 }]);
    expect(data("app", "web.front")).toEqual(["10.0.0.2"]);
  });

  test("are not there for ports that nobody says it serves, nor for other networks", () => {
    expect(data("app", "_81._tcp.www", "SRV")).toBe("no-name");
    expect(data("app", "_80._udp.www", "SRV")).toBe("no-name");
    expect(data("db", "_80._tcp.www", "SRV")).toBe("forward");
    expect(data("app", "_sip._tcp.example.org", "SRV")).toBe("forward");
  });
});
