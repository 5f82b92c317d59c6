import { expect, test } from "vitest";
import type { Resources } from "../../model/container.ts";
import type { LimitSupport } from "../../ports/host.ts";
import { sampleHost } from "../../testing/runtime-spec-input.ts";
import { limitResources } from "./resources.ts";

const MiB = 2 ** 20;
const resources = (wanted: Resources) => limitResources(wanted, sampleHost).resources;
const without = (support: keyof LimitSupport) => ({
  ...sampleHost,
  limits: { ...sampleHost.limits, [support]: false },
});

test("nothing asked is nothing limited", () => {
  expect(limitResources({}, sampleHost)).toEqual({ resources: {}, warnings: [] });
  expect(resources({ memory_bytes: 0, pidsLimit: -1, cpuShares: 0 })).toEqual({});
});

test("memory brings as much swap again, unless swap is given", () => {
  expect(resources({ memory_bytes: 64 * MiB }).memory).toEqual({ limit: 64 * MiB, swap: 128 * MiB });
  expect(resources({ memory_bytes: 64 * MiB, memorySwap_bytes: 64 * MiB }).memory).toEqual({
    limit: 64 * MiB,
    swap: 64 * MiB,
  });
  expect(resources({ memory_bytes: 64 * MiB, memorySwap_bytes: -1 }).memory).toEqual({ limit: 64 * MiB, swap: -1 });
});

test("the rest of memory", () => {
  const wanted = {
    memory_bytes: 64 * MiB,
    memoryReservation_bytes: 32 * MiB,
    memorySwappiness: 0,
    oomKillDisable: true,
  };
  expect(resources(wanted).memory).toEqual({
    limit: 64 * MiB,
    swap: 128 * MiB,
    reservation: 32 * MiB,
    swappiness: 0,
    disableOOMKiller: true,
  });
});

test("cores become a quota of a period", () => {
  expect(resources({ nanoCpus: 1.5e9 }).cpu).toEqual({ quota: 150_000, period: 100_000 });
  expect(resources({ cpuQuota_us: 20_000, cpuPeriod_us: 50_000 }).cpu).toEqual({ quota: 20_000, period: 50_000 });
  expect(resources({ cpuQuota_us: -1 }).cpu).toEqual({ quota: -1 });
  expect(resources({ cpuShares: 1, cpusetCpus: "0,2-3", cpusetMems: "0" }).cpu).toEqual({
    shares: 2,
    cpus: "0,2-3",
    mems: "0",
  });
  expect(resources({ cpuRealtimeRuntime_us: 100, cpuRealtimePeriod_us: 1000 }).cpu).toEqual({
    realtimeRuntime: 100,
    realtimePeriod: 1000,
  });
});

test("rates of block devices name the device by number", () => {
  const nodes = new Map([
    ["/dev/sda", [{ path: "/dev/sda", type: "b" as const, major: 8, minor: 0, mode: 0, uid: 0, gid: 0 }]],
  ]);
  const wanted: Resources = {
    blkioWeight: 500,
    blkioWeightDevices: [{ path: "/dev/sda", weight: 100 }],
    readBps: [{ path: "/dev/sda", rate: 1 }],
    writeBps: [{ path: "/dev/sda", rate: 2 }],
    readIops: [{ path: "/dev/sda", rate: 3 }],
    writeIops: [{ path: "/dev/sda", rate: 4 }],
  };
  expect(limitResources(wanted, sampleHost, nodes).resources.blockIO).toEqual({
    weight: 500,
    weightDevice: [{ major: 8, minor: 0, weight: 100 }],
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1 }],
    throttleWriteBpsDevice: [{ major: 8, minor: 0, rate: 2 }],
    throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 3 }],
    throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 4 }],
  });
  expect(() => limitResources({ readBps: [{ path: "/dev/x", rate: 1 }] }, sampleHost)).toThrow(
    /^readBps: \/dev\/x is not/,
  );
});

test("what cannot be is refused, with the field's name", () => {
  const cases: [Resources, RegExp][] = [
    [{ memory_bytes: 1024 }, /^memory_bytes: 1024 is too little/],
    [{ memorySwap_bytes: 64 * MiB }, /^memorySwap_bytes: needs/],
    [{ memory_bytes: 64 * MiB, memorySwap_bytes: 32 * MiB }, /^memorySwap_bytes: /],
    [{ memory_bytes: 64 * MiB, memoryReservation_bytes: 65 * MiB }, /^memoryReservation_bytes: /],
    [{ memorySwappiness: 101 }, /^memorySwappiness: 101/],
    [{ nanoCpus: 5e9 }, /^nanoCpus: 5 is not between 0.01 and the 4 cores/],
    [{ nanoCpus: 1e9, cpuQuota_us: 1000 }, /^nanoCpus: /],
    [{ cpuPeriod_us: 10 }, /^cpuPeriod_us: 10/],
    [{ cpuQuota_us: 10 }, /^cpuQuota_us: 10/],
    [{ cpusetCpus: "0-9" }, /^cpusetCpus: asked for 0-9, but this host has 0-3/],
    [{ cpusetCpus: "2-1" }, /^cpusetCpus: '2-1' is not a list/],
    [{ cpusetMems: "1" }, /^cpusetMems: /],
    [{ blkioWeight: 5 }, /^blkioWeight: 5/],
    [{ cpuRealtimeRuntime_us: 2000, cpuRealtimePeriod_us: 1000 }, /^cpuRealtimeRuntime_us: /],
  ];
  for (const [wanted, words] of cases) expect(() => limitResources(wanted, sampleHost)).toThrow(words);
});

test("what the kernel cannot limit is left out, with a warning", () => {
  expect(limitResources({ pidsLimit: 5 }, without("pids"))).toEqual({
    resources: {},
    warnings: ["this kernel cannot limit the number of processes: the limit is left out"],
  });
  expect(limitResources({ memory_bytes: 64 * MiB }, without("swap"))).toEqual({
    resources: { memory: { limit: 64 * MiB } },
    warnings: [],
  });
  expect(limitResources({ memory_bytes: 64 * MiB, memorySwap_bytes: -1 }, without("swap")).warnings).toHaveLength(1);
});
