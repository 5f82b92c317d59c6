import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contains, formatIp, formatSubnet, overlap, parseIp, parseSubnet, type Subnet } from "../netlink/ip.ts";
import { AddressRange, checkedPool, chooseSubnet, defaultPools, uniqueLocalSubnet } from "./subnets.ts";

const subnet = fc
  .tuple(fc.bigInt(0n, 2n ** 32n - 1n), fc.integer({ min: 8, max: 30 }))
  .map(([value, length]): Subnet => parseSubnet(`${formatIp({ family: 4, value })}/${length}`));

describe("choosing a subnet", () => {
  test("takes Docker's pools in order", () => {
    expect(formatSubnet(chooseSubnet(defaultPools, []))).toBe("172.17.0.0/16");
    expect(formatSubnet(chooseSubnet(defaultPools, [parseSubnet("172.16.0.0/12")]))).toBe("192.168.0.0/20");
  });

  test("never overlaps what is taken, and finds one unless all are", () => {
    fc.assert(
      fc.property(fc.array(subnet, { maxLength: 40 }), taken => {
        try {
          const chosen = chooseSubnet(defaultPools, taken);
          expect(taken.filter(other => overlap(chosen, other))).toEqual([]);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: "exhausted" });
          const all = defaultPools.every(pool => taken.some(other => overlap(parseSubnet(pool.base), other)));
          expect(all).toBe(true);
        }
      }),
    );
  });

  test("gives every network a unique local subnet of its own", () => {
    expect(formatSubnet(uniqueLocalSubnet("0123456789abcdef"))).toBe("fd01:2345:6789:abcd::/64");
  });
});

describe("addresses of a pool", () => {
  test("are handed out one after the other, each once, none of them reserved, until all are taken", () => {
    const pools = fc.record({
      base: subnet.filter(each => each.prefixLength >= 25),
      aux: fc.array(fc.nat(127), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(pools, ({ base, aux }) => {
        const size = 2 ** (32 - base.prefixLength);
        const reserved = aux
          .filter(at => at > 1 && at < size - 1)
          .map(at => formatIp({ family: 4, value: base.value + BigInt(at) }));
        const pool = checkedPool({
          subnet: formatSubnet(base),
          auxAddresses: Object.fromEntries(reserved.map(each => [each, each])),
        });
        const range = new AddressRange(pool);
        const taken = new Set<bigint>();
        let last: bigint | undefined;
        for (let next = range.next(taken, last); next !== undefined; next = range.next(taken, last)) {
          expect(contains(base, next) && range.allows(next) && !taken.has(next.value)).toBe(true);
          expect(reserved).not.toContain(formatIp(next));
          taken.add(next.value);
          last = next.value;
        }
        expect(taken.size).toBe(size - 3 - new Set(reserved).size);
      }),
      { numRuns: 30 },
    );
  });

  test("one that was given back rests until all others have had their turn", () => {
    const range = new AddressRange({ subnet: "10.0.0.0/29" });
    const next = range.next(new Set([parseIp("10.0.0.3").value]), parseIp("10.0.0.4").value);
    expect(formatIp(next!)).toBe("10.0.0.5");
    expect(formatIp(range.next(new Set(), parseIp("10.0.0.6").value)!)).toBe("10.0.0.2");
  });

  test("come from the range where one is given; others may be asked for by name", () => {
    const range = new AddressRange(checkedPool({ subnet: "10.0.0.0/24", ipRange: "10.0.0.128/30" }));
    expect(formatIp(range.next(new Set(), undefined)!)).toBe("10.0.0.128");
    expect(range.allows(parseIp("10.0.0.9"))).toBe(true);
    expect(range.allows(parseIp("10.0.0.255"))).toBe(false);
  });

  test.each([
    [{ subnet: "10.0.0.0/31" }, "no room"],
    [{ subnet: "10.0.0.0/24", gateway: "10.0.1.1" }, "gateway 10.0.1.1 is not in"],
    [{ subnet: "10.0.0.0/24", ipRange: "10.0.0.0/16" }, "range 10.0.0.0/16 is not in"],
    [{ subnet: "10.0.0.0/24", auxAddresses: { router: "10.9.0.1" } }, "auxiliary address router"],
  ])("a pool that cannot work is refused: %j", (pool, message) => {
    expect(() => checkedPool(pool)).toThrow(message);
  });
});
