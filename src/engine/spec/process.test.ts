import { expect, test } from "vitest";
import { sampleHost, sampleSpecInput } from "../../testing/runtime-spec-input.ts";
import { buildExecProcess } from "./build-exec-process.ts";
import { grantDevices, parseRule } from "./devices.ts";
import { noLimit } from "./oci.ts";
import { completeEnvironment, oomScore, resourceLimits } from "./process.ts";
import { parseSecurityOptions } from "./security-options.ts";

const weak = { ...sampleHost, capabilities: ["CAP_CHOWN"], hardLimits: { nofile: 20_000, nproc: 500 }, oomScoreAdj: 0 };

test("PATH, HOSTNAME, TERM and HOME are there unless given", () => {
  expect(completeEnvironment(["HOME=/x"], { hostname: "h", tty: true, home: "/root" })).toEqual([
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOSTNAME=h",
    "TERM=xterm",
    "HOME=/x",
  ]);
  expect(completeEnvironment(["PATH=/a", "A="], { tty: false, home: "/root" })).toEqual([
    "PATH=/a",
    "A=",
    "HOME=/root",
  ]);
});

test("limits above what the host may give are lowered, and said so", () => {
  const { rlimits, warnings } = resourceLimits([{ name: "nproc", soft: 600, hard: -1 }], weak);
  expect(rlimits).toEqual([
    { type: "RLIMIT_NPROC", soft: 500, hard: 500 },
    { type: "RLIMIT_NOFILE", soft: 20_000, hard: 20_000 },
  ]);
  expect(warnings).toEqual(["ulimit nproc: lowered from -1 to 500, the most that this host allows"]);
});

test("a host with CAP_SYS_RESOURCE gives what is asked, unlimited as the kernel writes it", () => {
  const { rlimits, warnings } = resourceLimits(
    [
      { name: "nofile", soft: 10, hard: 1e6 },
      { name: "memlock", soft: -1, hard: -1 },
    ],
    {
      ...sampleHost,
      hardLimits: { nofile: 5 },
    },
  );
  expect(rlimits).toEqual([
    { type: "RLIMIT_NOFILE", soft: 10, hard: 1e6 },
    { type: "RLIMIT_MEMLOCK", soft: noLimit, hard: noLimit },
  ]);
  expect(JSON.stringify(rlimits[1])).toContain('"soft":18446744073709551615');
  expect(warnings).toEqual([]);
});

test("limits that make no sense are refused", () => {
  expect(() => resourceLimits([{ name: "speed", soft: 1, hard: 1 }], weak)).toThrow(/^ulimits: .*'speed'/);
  expect(() => resourceLimits([{ name: "core", soft: 2, hard: 1 }], weak)).toThrow(/^ulimits: core has a soft limit/);
});

test("an OOM score below one's own is the nearest possible", () => {
  expect(oomScore(undefined, weak)).toEqual({ warnings: [] });
  expect(oomScore(300, weak)).toEqual({ score: 300, warnings: [] });
  expect(oomScore(-500, weak)).toMatchObject({ score: 0, warnings: [expect.stringMatching(/0 instead of -500/)] });
  expect(oomScore(-500, sampleHost)).toEqual({ score: -500, warnings: [] });
  expect(() => oomScore(2000, weak)).toThrow(/^oomScoreAdj: 2000/);
});

test("security options in both spellings; unknown ones are refused", () => {
  expect(parseSecurityOptions(["no-new-privileges:true", "seccomp:unconfined", "label=disable", "apparmor=x"])).toEqual(
    {
      noNewPrivileges: true,
      seccomp: "unconfined",
      apparmor: "x",
      systemPathsUnconfined: false,
    },
  );
  expect(parseSecurityOptions(["seccomp=builtin"]).seccomp).toBeUndefined();
  for (const option of [
    "magic=1",
    "seccomp=/some/file",
    "no-new-privileges=perhaps",
    "systempaths=open",
    "apparmor=",
  ]) {
    expect(() => parseSecurityOptions([option]), option).toThrow(/^securityOptions: /);
  }
  expect(() => parseSecurityOptions(["label=type:x"])).toThrow(/SELinux/);
});

test("devices: a file under another name, a directory whole, rules for the rest", () => {
  const node = (path: string, minor: number) => ({
    path,
    type: "c" as const,
    major: 10,
    minor,
    mode: 0o600,
    uid: 0,
    gid: 0,
  });
  const nodes = new Map([
    ["/dev/fuse", [node("/dev/fuse", 229)]],
    ["/dev/snd", [node("/dev/snd/a", 1), node("/dev/snd/sub/b", 2)]],
  ]);
  const granted = grantDevices(
    {
      devices: [
        { hostPath: "/dev/fuse", containerPath: "/dev/f", permissions: "r" },
        { hostPath: "/dev/snd", containerPath: "/dev/sound", permissions: "rwm" },
      ],
      rules: ["c 13:* rw"],
    },
    nodes,
  );
  expect(granted.devices.map(device => device.path)).toEqual(["/dev/f", "/dev/sound/a", "/dev/sound/sub/b"]);
  expect(granted.rules.slice(-4)).toEqual([
    { allow: true, type: "c", major: 10, minor: 229, access: "r" },
    { allow: true, type: "c", major: 10, minor: 1, access: "rwm" },
    { allow: true, type: "c", major: 10, minor: 2, access: "rwm" },
    { allow: true, type: "c", major: 13, access: "rw" },
  ]);
  expect(granted.rules[0]).toEqual({ allow: false, access: "rwm" });
  const device = { hostPath: "/dev/x", containerPath: "", permissions: "rw" };
  expect(() => grantDevices({ devices: [device] }, nodes)).toThrow(/^devices: \/dev\/x/);
  expect(() => grantDevices({ devices: [{ ...device, permissions: "rx" }] }, nodes)).toThrow(/^devices: 'rx'/);
  expect(() => parseRule("c 1 rw")).toThrow(/^deviceCgroupRules: /);
});

test("an exec has its container's surroundings, and its own wishes on top", () => {
  const { spec } = sampleSpecInput({ groups: ["staff"], capDrop: ["ALL"] });
  const container = { spec, hostname: "h", process: { env: ["A=1", "B=2"], workingDir: "/srv", user: "web" } };
  const files = sampleSpecInput();
  const build = (exec: Partial<Parameters<typeof buildExecProcess>[0]["exec"]>) =>
    buildExecProcess({
      exec: { args: ["id"], ...exec },
      container,
      passwd: files.passwd,
      group: files.group,
      host: sampleHost,
    });
  expect(build({})).toMatchObject({
    terminal: false,
    user: { uid: 33, gid: 34, additionalGids: [44, 50] },
    args: ["id"],
    cwd: "/srv",
    capabilities: { bounding: [] },
  });
  expect(build({}).env).toEqual([expect.stringMatching(/^PATH=/), "HOSTNAME=h", "A=1", "B=2", "HOME=/var/www"]);
  const other = build({ user: "0", env: ["A=9", "B"], workingDir: "/", tty: true, privileged: true });
  expect(other).toMatchObject({ terminal: true, user: { uid: 0, gid: 0, additionalGids: [] }, cwd: "/" });
  expect(other.env).toEqual([expect.stringMatching(/^PATH=/), "HOSTNAME=h", "TERM=xterm", "A=9", "HOME=/root"]);
  expect(other.capabilities.effective).toContain("CAP_SYS_ADMIN");
  expect(() => build({ args: [] })).toThrow(/^args: /);
  expect(() => build({ workingDir: "x" })).toThrow(/^workingDir: /);
});
