import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mount, unmount } from "../../src/drivers/linux/mount.ts";
import { host, prepareRuntimeTests, rootfs, Yard } from "./runtime-yard.ts";

prepareRuntimeTests();

const data = mkdtempSync(join(tmpdir(), "berth-runtime-data-"));

beforeAll(() => {
  mkdirSync(join(data, "inner"));
  mount("tmpfs", join(data, "inner"), "tmpfs", 0, "mode=777");
  chmodSync(data, 0o777);
  writeFileSync(join(data, "inner/file"), "from below\n");
});

afterAll(() => {
  unmount(join(data, "inner"));
  rmSync(data, { recursive: true, force: true });
});

/** A word for each question, as the container sees itself. */
const questions = `
  ask() { printf '%s=' "$1"; shift; "$@" 2>&1 | tr '\\n' ' '; echo; }
  ask user id -u; ask groups id -G; ask home echo $HOME; ask cwd pwd; ask hostname hostname
  ask domain cat /proc/sys/kernel/domainname; ask somaxconn cat /proc/sys/net/core/somaxconn; ask port cat /proc/sys/net/ipv4/ip_unprivileged_port_start
  ask files ulimit -n; ask core ulimit -c; ask oom cat /proc/self/oom_score_adj
  ask root touch /no; ask below cat /data/inner/file; ask locked touch /data/inner/no; ask scratch touch /scratch/tmp/yes
  ask masked cat /proc/interrupts; ask shm df -k /dev/shm; ask device ls /dev/zero2; ask first cat /proc/1/comm
  grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
`;

function answers(text: string): Record<string, string> {
  const lines = text.split("\n").flatMap(line => {
    const [, key, value] = /^(\w+)[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    return key === undefined ? [] : [[key, value!] as const];
  });
  return Object.fromEntries(lines);
}

describe.each(["crun", "runc"] as const)("with %s a container sees", name => {
  test("what was asked for", async () => {
    // runc 1.1 gives a tmpfs the mode of the directory below, if that is there.
    rmSync(join(rootfs, "scratch"), { recursive: true, force: true });
    await using yard = new Yard(name);
    const container = await yard.started(["sh", "-c", questions], {
      spec: {
        init: true,
        readOnlyRootfs: true,
        domainname: "example.org",
        groups: ["70"],
        capDrop: ["ALL"],
        capAdd: ["CHOWN"],
        securityOptions: ["no-new-privileges"],
        sysctls: { "net.core.somaxconn": "77" },
        ulimits: [
          { name: "nofile", soft: 100, hard: 200 },
          { name: "core", soft: 0, hard: 0 },
        ],
        oomScoreAdj: 500,
        shmSize_bytes: 1 << 20,
        devices: [{ hostPath: "/dev/zero", containerPath: "/dev/zero2", permissions: "r" }],
      },
      input: {
        process: { args: ["sh", "-c", questions], env: [], workingDir: "/tmp", user: "web" },
        passwd: "web:x:33:34::/var/www:/bin/sh\n",
        initPath: "/usr/bin/tini-static",
        mounts: [
          { spec: { type: "bind", target: "/data", readOnly: true }, source: data },
          { spec: { type: "tmpfs", target: "/scratch/tmp", mode: 0o1777, size_bytes: 1 << 20 }, source: "" },
        ],
        deviceNodes: new Map([["/dev/zero", await host.devices("/dev/zero")]]),
      },
    });
    expect((await yard.ended(container)).exitCode, yard.output(container)).toBe(0);
    expect(answers(yard.output(container))).toMatchObject({
      user: "33",
      groups: "34 70",
      home: "/var/www",
      cwd: "/tmp",
      hostname: "box",
      domain: "example.org",
      somaxconn: "77",
      port: "0",
      files: "100",
      core: "0",
      oom: "500",
      root: expect.stringContaining("Read-only file system"),
      below: "from below",
      locked: expect.stringContaining("Read-only file system"),
      scratch: "",
      masked: "",
      shm: expect.stringMatching(/ 1024 .*\/dev\/shm/),
      device: "/dev/zero2",
      first: "docker-init",
      CapBnd: "0000000000000001",
      NoNewPrivs: "1",
      Seccomp: "2",
    });
  });

  test("nothing of the defaults when it is privileged", async () => {
    await using yard = new Yard(name);
    const line =
      "touch /data/inner/yes && head -c 1 /dev/kmsg >/dev/null; cat /proc/self/status; touch /proc/sys/kernel/hostname && echo open";
    const container = await yard.started(["sh", "-c", line], {
      spec: { privileged: true },
      input: {
        mounts: [{ spec: { type: "bind", target: "/data" }, source: data }],
        deviceNodes: new Map([["/dev", await host.devices("/dev")]]),
      },
    });
    expect((await yard.ended(container)).exitCode).toBe(0);
    const seen = yard.output(container);
    expect(seen).toMatch(/Seccomp:\s*0\n[\s\S]*open\n$/);
    expect(seen).not.toMatch(/CapEff:\s*0000000000/);
  });
});
