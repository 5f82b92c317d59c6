import { expect, test } from "vitest";
import { defaultCapabilities, knownCapabilities } from "./capabilities.ts";
import type { OciSeccomp } from "./oci.ts";
import { customSeccomp, defaultSeccomp } from "./seccomp.ts";

const plain = { architecture: "amd64", kernel: "6.1.0", capabilities: defaultCapabilities };

const rulesFor = (filter: OciSeccomp, name: string) => filter.syscalls.filter(rule => rule.names.includes(name));
const isAllowed = (filter: OciSeccomp, name: string) =>
  rulesFor(filter, name).some(rule => rule.action === "SCMP_ACT_ALLOW" && rule.args === undefined);

test("everyday calls are allowed, dangerous ones answered with EPERM", () => {
  const filter = defaultSeccomp(plain);
  expect(filter).toMatchObject({ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 1 });
  for (const name of ["read", "openat2", "clone", "chroot", "futex_waitv", "ptrace"]) {
    expect(rulesFor(filter, name), name).not.toEqual([]);
  }
  for (const name of ["mount", "bpf", "kexec_load", "init_module", "io_uring_setup", "keyctl", "open_by_handle_at"]) {
    expect(rulesFor(filter, name), name).toEqual([]);
  }
});

test("no call is listed twice in one rule", () => {
  for (const { names } of defaultSeccomp({ ...plain, capabilities: knownCapabilities }).syscalls) {
    expect(names.length).toBe(new Set(names).size);
  }
});

test("a capability opens the calls that it is for", () => {
  const of = (name: string) => defaultSeccomp({ ...plain, capabilities: [name] });
  expect(isAllowed(of("CAP_SYS_ADMIN"), "mount")).toBe(true);
  expect(isAllowed(of("CAP_SYS_TIME"), "clock_settime")).toBe(true);
  expect(isAllowed(of("CAP_BPF"), "bpf")).toBe(true);
  expect(isAllowed(of("CAP_CHOWN"), "chroot")).toBe(false);
});

test("clone makes no namespaces, and clone3 seems not to be there, without CAP_SYS_ADMIN", () => {
  const filter = defaultSeccomp(plain);
  expect(rulesFor(filter, "clone").map(rule => rule.args)).toEqual([
    [{ index: 0, value: 2114060288, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
  ]);
  expect(rulesFor(filter, "clone3")).toEqual([{ names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 }]);
  expect(isAllowed(defaultSeccomp({ ...plain, capabilities: ["CAP_SYS_ADMIN"] }), "clone3")).toBe(true);
  const mainframe = defaultSeccomp({ ...plain, architecture: "s390x" });
  expect(rulesFor(mainframe, "clone").map(rule => rule.args?.[0]?.index)).toEqual([1]);
});

test("each machine has its own architectures and calls", () => {
  expect(defaultSeccomp(plain).architectures).toEqual(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]);
  expect(isAllowed(defaultSeccomp(plain), "arch_prctl")).toBe(true);
  const arm = defaultSeccomp({ ...plain, architecture: "arm64" });
  expect(arm.architectures).toEqual(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
  expect(isAllowed(arm, "arch_prctl")).toBe(false);
  expect(isAllowed(arm, "cacheflush")).toBe(true);
});

test("kernels before 4.8 get no ptrace", () => {
  expect(isAllowed(defaultSeccomp({ ...plain, kernel: "4.7.10" }), "ptrace")).toBe(false);
  expect(isAllowed(defaultSeccomp({ ...plain, kernel: "4.8-rc1" }), "ptrace")).toBe(true);
});

test("a profile of the user's own is taken as Docker takes it", () => {
  const profile = JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86_64"],
    syscalls: [
      { name: "chmod", action: "SCMP_ACT_ERRNO", comment: "old form" },
      { names: ["mount"], action: "SCMP_ACT_ERRNO", excludes: { caps: ["CAP_CHOWN"] } },
    ],
  });
  expect(customSeccomp(profile, plain)).toEqual({
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86_64"],
    syscalls: [{ names: ["chmod"], action: "SCMP_ACT_ERRNO" }],
  });
  expect(() => customSeccomp("{", plain)).toThrow(/not JSON/);
  expect(() => customSeccomp("{}", plain)).toThrow(/no defaultAction/);
  expect(() => customSeccomp('{"defaultAction":"A","syscalls":[{"action":"B"}]}', plain)).toThrow(/no names/);
});
