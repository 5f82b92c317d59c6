import { describe, expect, test } from "vitest";
import { filterTime_ms } from "./filters/filter-time.ts";
import { matchesLabelFilters } from "./filters/labels.ts";
import { checkName, suggestName } from "./names.ts";
import { hostsFile, resolvConf } from "./network-files.ts";
import { signalName, signalNumber } from "./signals.ts";
import { parseLink } from "./start/links.ts";

test("names follow Docker's pattern, and made-up ones do too", () => {
  expect(checkName("/web-1")).toBe("web-1");
  for (const wrong of ["", "x", "-x", "a b", "a/b", "é1"]) expect(() => checkName(wrong)).toThrow(/not allowed/);
  for (let n = 0; n < 50; n++) expect(checkName(suggestName(() => n / 50, n % 5))).toMatch(/^[a-z]+_[a-z]+\d*$/);
});

test("signals are known by name and number, real-time ones too", () => {
  expect([signalNumber("KILL"), signalNumber("sigterm"), signalNumber("1"), signalNumber("RTMIN+3")]).toEqual([
    9, 15, 1, 37,
  ]);
  for (const wrong of ["", "0", "65", "NOPE", "RTMIN+99"]) expect(() => signalNumber(wrong)).toThrow(/not known/);
  expect([signalName(15), signalName(37)]).toEqual(["SIGTERM", "SIGRTMIN+3"]);
});

test("labels match by key and by value; label! keeps out", () => {
  const labels = { a: "1", b: "" };
  expect(matchesLabelFilters(labels, { label: ["a", "b="] })).toBe(true);
  expect(matchesLabelFilters(labels, { label: ["a=2"] })).toBe(false);
  expect(matchesLabelFilters(labels, { "label!": ["a=2"] })).toBe(true);
  expect(matchesLabelFilters(labels, { "label!": ["b"] })).toBe(false);
});

test("until is a duration before now, seconds, or a date", () => {
  expect(filterTime_ms("1h30m", 10_000_000)).toBe(10_000_000 - 5_400_000);
  expect(filterTime_ms("5", 0)).toBe(5000);
  expect(filterTime_ms("2020-01-01T00:00:00Z", 0)).toBe(Date.parse("2020-01-01T00:00:00Z"));
  expect(() => filterTime_ms("soon", 0)).toThrow(/no time/);
});

test("links name a container and an alias", () => {
  expect(parseLink("/db:/web/store")).toEqual({ target: "db", alias: "store" });
  expect(parseLink("db")).toEqual({ target: "db", alias: "db" });
});

describe("the files of a container", () => {
  test("hosts has the standard lines first", () => {
    const text = hostsFile([{ address: "10.0.0.2", names: ["box.example", "box"] }]);
    expect(text).toMatch(/^127\.0\.0\.1\tlocalhost\n/);
    expect(text).toMatch(/10\.0\.0\.2\tbox\.example box\n$/);
  });

  const host = "# made by hand\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nsearch example.org\noptions ndots:2\n";
  const plain = { hostFile: host, servers: [], search: [], options: [] };

  test("resolv.conf leaves out servers on the host's loopback, which is not the container's", () => {
    expect(resolvConf(plain)).toBe("nameserver 192.0.2.1\nsearch example.org\noptions ndots:2\n");
  });

  test("what the container asks for takes the place of the host's, and Berth's resolver of both", () => {
    expect(resolvConf({ ...plain, servers: ["9.9.9.9"], search: ["."], options: ["rotate"] })).toBe(
      "nameserver 9.9.9.9\noptions rotate\n",
    );
    expect(resolvConf({ ...plain, resolver: "127.0.0.11", servers: ["9.9.9.9"] })).toMatch(
      /^nameserver 127\.0\.0\.11\nsearch/,
    );
  });
});
