import { expect, test } from "vitest";
import { sampleHost, sampleSpecInput } from "../../testing/runtime-spec-input.ts";
import { buildRuntimeSpec } from "./build-runtime-spec.ts";
import type { RuntimeSpecInput } from "./input.ts";
import { cgroupPathOf } from "./input.ts";

/** The seccomp filter has tests of its own; here its length would hide the rest. */
function golden(input: RuntimeSpecInput): string {
  const { spec, warnings } = buildRuntimeSpec(input);
  const { seccomp, ...linux } = spec.linux;
  const filter = seccomp === undefined ? "none" : `${seccomp.defaultAction}, ${seccomp.syscalls.length} rules`;
  return `${JSON.stringify({ ...spec, linux: { ...linux, seccomp: filter }, warnings }, undefined, 2)}\n`;
}

test("a plain container", async () => {
  await expect(golden(sampleSpecInput())).toMatchFileSnapshot("golden/plain.json");
});

test("a privileged container in the host's namespaces", async () => {
  const input = sampleSpecInput(
    { privileged: true, namespaces: { network: "host", pid: "host", ipc: "host" } },
    {
      namespaces: { network: "host", pid: "host", ipc: "host", uts: "host", cgroup: "host" },
      shmPath: "/dev/shm",
      deviceNodes: new Map([
        ["/dev", [{ path: "/dev/sda", type: "b", major: 8, minor: 0, mode: 0o660, uid: 0, gid: 6 }]],
      ]),
    },
  );
  await expect(golden(input)).toMatchFileSnapshot("golden/privileged.json");
});

test("a container with everything", async () => {
  const input = sampleSpecInput(
    {
      tty: true,
      init: true,
      readOnlyRootfs: true,
      domainname: "example.org",
      groups: ["staff", "70"],
      capAdd: ["NET_ADMIN"],
      capDrop: ["MKNOD"],
      securityOptions: ["no-new-privileges"],
      sysctls: { "net.core.somaxconn": "1024", "kernel.shmmax": "65536" },
      ulimits: [{ name: "core", soft: 0, hard: -1 }],
      oomScoreAdj: 500,
      annotations: { "org.example": "yes" },
      shmSize_bytes: 1 << 20,
      devices: [{ hostPath: "/dev/fuse", containerPath: "/dev/fuse2", permissions: "rw" }],
      resources: {
        memory_bytes: 64 << 20,
        nanoCpus: 1.5e9,
        cpuShares: 512,
        cpusetCpus: "0-1",
        pidsLimit: 100,
        blkioWeight: 300,
        deviceCgroupRules: ["c 13:* rwm"],
      },
    },
    {
      process: { args: ["serve", "--port", "80"], env: ["A=1", "PATH=/opt/bin"], workingDir: "/srv", user: "web" },
      initPath: "/usr/bin/tini",
      mounts: [
        { spec: { type: "bind", target: "/data/in/ner", readOnly: true, propagation: "rslave" }, source: "/srv/inner" },
        { spec: { type: "volume", target: "/data" }, source: "/var/lib/berth/volumes/v/_data" },
        { spec: { type: "tmpfs", target: "/run", size_bytes: 1 << 20, mode: 0o700, options: ["exec"] }, source: "" },
        { spec: { type: "image", target: "/tools" }, source: "/var/lib/berth/views/tools" },
      ],
      deviceNodes: new Map([
        ["/dev/fuse", [{ path: "/dev/fuse", type: "c", major: 10, minor: 229, mode: 0o666, uid: 0, gid: 0 }]],
      ]),
    },
  );
  await expect(golden(input)).toMatchFileSnapshot("golden/everything.json");
});

test("what cannot be is refused, with the field's name", () => {
  const host = { ...sampleSpecInput().namespaces, uts: "host" as const };
  const cases: [RuntimeSpecInput, RegExp][] = [
    [sampleSpecInput({}, { process: { args: [], env: [], workingDir: "", user: "" } }), /^command: /],
    [sampleSpecInput({}, { process: { args: ["a"], env: [], workingDir: "b", user: "" } }), /^workingDir: 'b'/],
    [sampleSpecInput({ hostname: "x" }, { namespaces: host }), /^hostname: /],
    [sampleSpecInput({ domainname: "x" }, { namespaces: host }), /^domainname: /],
    [sampleSpecInput({ namespaces: { user: "private" } }), /^namespaces.user: /],
    [sampleSpecInput({ init: true }), /^init: no init program/],
    [
      sampleSpecInput({ init: true }, { namespaces: { ...host, pid: "host" }, initPath: "/tini" }),
      /^init: an init process/,
    ],
    [sampleSpecInput({ sysctls: { "vm.swappiness": "1" } }), /^sysctls: vm.swappiness belongs to the whole host/],
    [
      sampleSpecInput({ sysctls: { "net.core.somaxconn": "1" } }, { namespaces: { ...host, network: "host" } }),
      /^sysctls: net.core.somaxconn cannot be set with the host's network/,
    ],
  ];
  for (const [input, words] of cases) expect(() => buildRuntimeSpec(input)).toThrow(words);
});

test("paths that tell of the host are open to who asks for it", () => {
  const unconfined = buildRuntimeSpec(sampleSpecInput({ securityOptions: ["systempaths=unconfined"] })).spec.linux;
  expect([unconfined.maskedPaths, unconfined.readonlyPaths]).toEqual([[], []]);
  const own = buildRuntimeSpec(sampleSpecInput({ maskedPaths: ["/proc/x"], readonlyPaths: [] })).spec.linux;
  expect([own.maskedPaths, own.readonlyPaths]).toEqual([["/proc/x"], []]);
});

test("seccomp can be switched off, replaced, and is left out by a kernel without it", () => {
  const filterOf = (options: string[], host = sampleHost) =>
    buildRuntimeSpec(sampleSpecInput({ securityOptions: options }, { host })).spec.linux.seccomp;
  expect(filterOf(["seccomp=unconfined"])).toBeUndefined();
  expect(filterOf(['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'])).toEqual({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [],
  });
  expect(filterOf([], { ...sampleHost, seccomp: false })).toBeUndefined();
  expect(() => filterOf(['seccomp={"defaultAction":"X"}'], { ...sampleHost, seccomp: false })).toThrow(/no seccomp/);
});

test("new privileges can be forbidden by the host, and allowed again by the container", () => {
  const of = (options: string[], noNewPrivileges: boolean) =>
    buildRuntimeSpec(sampleSpecInput({ securityOptions: options }, { noNewPrivileges })).spec.process.noNewPrivileges;
  expect([
    of([], false),
    of([], true),
    of(["no-new-privileges=false"], true),
    of(["no-new-privileges"], false),
  ]).toEqual([false, true, false, true]);
});

test("an AppArmor profile counts where the kernel has AppArmor", () => {
  const of = (option: string, apparmor: boolean) =>
    buildRuntimeSpec(sampleSpecInput({ securityOptions: [option] }, { host: { ...sampleHost, apparmor } }));
  expect(of("apparmor=mine", true).spec.process.apparmorProfile).toBe("mine");
  expect(of("apparmor=unconfined", true).spec.process.apparmorProfile).toBeUndefined();
  expect(of("apparmor=mine", false).warnings).toEqual(["this kernel has no AppArmor: profile mine is left out"]);
});

test("namespaces of others are joined by path, the host's are not listed", () => {
  const { namespaces } = buildRuntimeSpec(
    sampleSpecInput(
      {},
      {
        namespaces: {
          network: "host",
          pid: { path: "/proc/7/ns/pid" },
          ipc: "private",
          uts: "private",
          cgroup: "host",
        },
      },
    ),
  ).spec.linux;
  expect(namespaces).toEqual([
    { type: "pid", path: "/proc/7/ns/pid" },
    { type: "ipc" },
    { type: "uts" },
    { type: "mount" },
  ]);
});

test("the control group is below the engine's, or where the container says", () => {
  expect(cgroupPathOf({ id: "x", root: "berth-a" })).toBe("/berth-a/x");
  expect(cgroupPathOf({ id: "x", root: "berth", parent: "/jobs/low/" })).toBe("/jobs/low/x");
});
