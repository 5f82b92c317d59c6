import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { findHierarchy, groupDirectories } from "./hierarchy.ts";
import { limitSupport } from "./limit-support.ts";
import { LinuxCgroups } from "./linux-cgroups.ts";
import { parseBlkio, parseIoStat, parseKeyed, parseLimit, parseSystemTicks } from "./parse.ts";

const version1 = `27 1 254:0 / / rw - ext4 /dev/vda rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
`;
const hybrid = `${version1}41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n`;
const version2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

describe("where control groups are", () => {
  test("version 1: a tree for each controller, some together", () => {
    const found = findHierarchy(version1);
    expect(groupDirectories(found, "/berth/x")).toEqual([
      "/sys/fs/cgroup/cpu,cpuacct/berth/x",
      "/sys/fs/cgroup/memory/berth/x",
      "/sys/fs/cgroup/systemd/berth/x",
    ]);
    expect(found).not.toHaveProperty("unified");
  });

  test("a version 2 tree beside version 1 is seen too", () => {
    const found = findHierarchy(hybrid);
    expect(found).toMatchObject({ version: 1, unified: "/sys/fs/cgroup/unified" });
    expect(groupDirectories(found, "/x")).toContain("/sys/fs/cgroup/unified/x");
  });

  test("version 2: one tree", () => {
    const found = findHierarchy(version2, () => "cpuset cpu io memory pids\n");
    expect(found).toEqual({
      version: 2,
      mount: "/sys/fs/cgroup",
      controllers: ["cpuset", "cpu", "io", "memory", "pids"],
    });
    expect(groupDirectories(found, "/berth/x")).toEqual(["/sys/fs/cgroup/berth/x"]);
  });

  test("what can be limited follows from files and controllers", () => {
    const files = new Set(["/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/cpu,cpuacct/cpu.shares"]);
    expect(limitSupport(findHierarchy(version1), path => files.has(path))).toMatchObject({
      memory: true,
      swap: false,
      cpuShares: true,
      cpuQuota: false,
      pids: false,
    });
    const modern = findHierarchy(version2, () => "cpu memory");
    expect(limitSupport(modern, () => true)).toMatchObject({
      memory: true,
      swap: true,
      cpuQuota: true,
      pids: false,
      cpuRealtime: false,
    });
  });
});

test("the kernel's texts", () => {
  expect(parseKeyed("anon 4096\nfile 0\nodd\nnegative -1\n")).toEqual({ anon: 4096, file: 0 });
  expect([parseLimit("max\n"), parseLimit("9223372036854771712\n"), parseLimit("67108864\n"), parseLimit("")]).toEqual([
    undefined,
    undefined,
    67108864,
    undefined,
  ]);
  expect(parseIoStat("8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n")).toEqual([
    { major: 8, minor: 16, op: "Read", bytes: 1459200, operations: 192 },
    { major: 8, minor: 16, op: "Write", bytes: 314773504, operations: 353 },
  ]);
  expect(
    parseBlkio("8:0 Read 10\n8:0 Write 20\n8:0 Sync 30\n8:0 Total 30\nTotal 30\n", "8:0 Read 1\n8:0 Write 2\n"),
  ).toEqual([
    { major: 8, minor: 0, op: "Read", bytes: 10, operations: 1 },
    { major: 8, minor: 0, op: "Write", bytes: 20, operations: 2 },
  ]);
  expect(parseSystemTicks("cpu  10 1 5 100 4 0 2 0 7 0\ncpu0 1 1 1 1\n")).toBe(122);
});

describe("a group", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "berth-cgroup-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function write(files: Record<string, string>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  }

  test("of version 2 gives its counters", async () => {
    write({
      "berth/x/cpu.stat":
        "usage_usec 3000\nuser_usec 2000\nsystem_usec 1000\nnr_periods 5\nnr_throttled 2\nthrottled_usec 70\n",
      "berth/x/memory.stat": "anon 100\ninactive_file 50\n",
      "berth/x/memory.current": "1000\n",
      "berth/x/memory.max": "max\n",
      "berth/x/memory.peak": "2000\n",
      "berth/x/memory.events": "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n",
      "berth/x/pids.current": "4\n",
      "berth/x/pids.max": "20\n",
      "berth/x/io.stat": "254:0 rbytes=7 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n",
      "berth/x/cgroup.procs": "31\n12\n",
      "berth/x/inner/cgroup.procs": "7\n",
    });
    const groups = new LinuxCgroups(systemClock, { version: 2, mount: root, controllers: ["cpu", "memory"] });
    const stats = await groups.stats("/berth/x");
    expect(stats).toMatchObject({
      cpuTotal_ns: 3_000_000,
      cpuUser_ns: 2_000_000,
      cpuKernel_ns: 1_000_000,
      throttling: { periods: 5, throttledPeriods: 2, throttled_ns: 70_000 },
      memoryUsage_bytes: 1000,
      memoryMax_bytes: 2000,
      memoryFailures: 3,
      memoryDetails: { anon: 100, inactive_file: 50 },
      pids: 4,
      pidsLimit: 20,
      blockIo: [
        { major: 254, minor: 0, op: "Read", bytes: 7, operations: 1 },
        { major: 254, minor: 0, op: "Write", bytes: 0, operations: 0 },
      ],
    });
    expect(stats.memoryLimit_bytes).toBeGreaterThan(2 ** 20);
    expect(await groups.processes("/berth/x")).toEqual([7, 12, 31]);
    expect(await groups.children("/berth")).toEqual(["x"]);
    expect([groups.exists("/berth/x"), groups.exists("/berth/y")]).toEqual([true, false]);
  });

  test("of version 1 gives the same from its own files", async () => {
    write({
      "cpu/x/cpu.stat": "nr_periods 5\nnr_throttled 2\nthrottled_time 70000\n",
      "cpuacct/x/cpuacct.usage": "3000000\n",
      "cpuacct/x/cpuacct.usage_percpu": "1000000 2000000 \n",
      "cpuacct/x/cpuacct.stat": "user 20\nsystem 10\n",
      "memory/x/memory.stat": "cache 10\nrss 20\n",
      "memory/x/memory.usage_in_bytes": "1000\n",
      "memory/x/memory.limit_in_bytes": "67108864\n",
      "memory/x/memory.max_usage_in_bytes": "2000\n",
      "memory/x/memory.failcnt": "3\n",
      "pids/x/pids.current": "4\n",
      "pids/x/pids.max": "max\n",
      "blkio/x/blkio.throttle.io_service_bytes_recursive": "8:0 Read 10\n8:0 Write 0\n8:0 Total 10\nTotal 10\n",
      "blkio/x/blkio.throttle.io_serviced_recursive": "8:0 Read 2\n8:0 Write 0\n8:0 Total 2\nTotal 2\n",
    });
    const mounts = new Map(["cpu", "cpuacct", "memory", "pids", "blkio"].map(name => [name, join(root, name)]));
    const groups = new LinuxCgroups(systemClock, { version: 1, mounts });
    const stats = await groups.stats("/x");
    expect(stats).toMatchObject({
      cpuTotal_ns: 3_000_000,
      cpuUser_ns: 200_000_000,
      cpuKernel_ns: 100_000_000,
      cpuPerCore_ns: [1_000_000, 2_000_000],
      throttling: { periods: 5, throttledPeriods: 2, throttled_ns: 70_000 },
      memoryUsage_bytes: 1000,
      memoryLimit_bytes: 67108864,
      memoryMax_bytes: 2000,
      memoryFailures: 3,
      memoryDetails: { cache: 10, rss: 20 },
      pids: 4,
      blockIo: [
        { major: 8, minor: 0, op: "Read", bytes: 10, operations: 2 },
        { major: 8, minor: 0, op: "Write", bytes: 0, operations: 0 },
      ],
    });
    expect(stats).not.toHaveProperty("pidsLimit");
  });

  test("that is gone says so, and is empty", async () => {
    const groups = new LinuxCgroups(systemClock, { version: 2, mount: root, controllers: [] });
    await expect(groups.stats("/x")).rejects.toMatchObject({ code: "not_found" });
    expect(await groups.processes("/x")).toEqual([]);
    expect(await groups.children("/x")).toEqual([]);
    await groups.remove("/x");
  });

  test("is removed with all below it", async () => {
    mkdirSync(join(root, "x/a/b"), { recursive: true });
    const groups = new LinuxCgroups(systemClock, { version: 2, mount: root, controllers: [] });
    await groups.remove("/x");
    expect(groups.exists("/x")).toBe(false);
  });
});
