import fc from "fast-check";
import { expect, test } from "vitest";
import {
  contains,
  formatIp,
  formatSubnet,
  ipBytes,
  ipFromBytes,
  overlap,
  parseIp,
  parseSubnet,
  tryParseIp,
} from "./ip.ts";

const ip = fc.oneof(
  fc.record({ family: fc.constant(4 as const), value: fc.bigInt(0n, 2n ** 32n - 1n) }),
  fc.record({ family: fc.constant(6 as const), value: fc.bigInt(0n, 2n ** 128n - 1n) }),
);

test("what is formatted parses to the same address, as text and as bytes", () => {
  fc.assert(
    fc.property(ip, address => {
      expect(parseIp(formatIp(address))).toEqual(address);
      expect(ipFromBytes(ipBytes(address))).toEqual(address);
    }),
  );
});

test.each([
  ["2001:DB8::1", "2001:db8::1"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["fe80:0:0:0:1:0:0:1", "fe80::1:0:0:1"],
  ["::ffff:192.0.2.1", "::ffff:c000:201"],
  ["1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"],
])("IPv6 is written as RFC 5952 says: %s", (text, expected) => {
  expect(formatIp(parseIp(text))).toBe(expected);
});

test.each(["", "1.2.3", "1.2.3.256", "::1%eth0", "x"])("%j is no address", text => {
  expect(tryParseIp(text)).toBeUndefined();
});

test("a subnet loses its host bits", () => {
  expect(formatSubnet(parseSubnet("10.1.2.3/8"))).toBe("10.0.0.0/8");
  expect(() => parseSubnet("10.0.0.0/33")).toThrow("not a subnet");
  expect(() => parseSubnet("10.0.0.0")).toThrow("not a subnet");
});

test("two subnets overlap exactly when one contains the other's first address", () => {
  const subnet = fc.tuple(ip, fc.nat(32)).map(([address, length]) => parseSubnet(`${formatIp(address)}/${length}`));
  fc.assert(
    fc.property(subnet, subnet, (one, other) => {
      expect(overlap(one, other)).toBe(contains(one, other) || contains(other, one));
    }),
  );
});
