import { expect, test } from "vitest";
import type { MountSpec } from "../../model/container.ts";
import { sampleHost, sampleSpecInput } from "../../testing/runtime-spec-input.ts";
import { buildMounts, rootPropagation } from "./mounts.ts";

const withMounts = (...mounts: (MountSpec & { source?: string })[]) =>
  sampleSpecInput({}, { mounts: mounts.map(spec => ({ spec, source: spec.source ?? "" })) });
const optionsOf = (spec: MountSpec) =>
  buildMounts(withMounts(spec)).find(mount => mount.destination === spec.target)!.options;

test("a container's own mount replaces the one that every container has", () => {
  const mounts = buildMounts(withMounts({ type: "bind", target: "/etc/hosts", source: "/my/hosts" }));
  expect(mounts.filter(mount => mount.destination === "/etc/hosts")).toEqual([
    { destination: "/etc/hosts", type: "bind", source: "/my/hosts", options: ["rbind", "rprivate"] },
  ]);
  const dev = buildMounts(withMounts({ type: "bind", target: "/dev", source: "/dev" }));
  expect(dev.filter(mount => mount.destination.startsWith("/dev")).map(mount => mount.source)).toEqual(["/dev"]);
});

test("deeper mounts come after those that would hide them", () => {
  const mounts = buildMounts(
    withMounts(
      { type: "bind", target: "/a/b/c", source: "/3" },
      { type: "bind", target: "/a", source: "/1" },
      { type: "bind", target: "/a/b", source: "/2" },
    ),
  );
  expect(mounts.slice(-3).map(mount => mount.source)).toEqual(["/1", "/2", "/3"]);
});

test("binds: read-only through and through where the kernel can, recursive or not, propagated as asked", () => {
  expect(optionsOf({ type: "bind", target: "/d", readOnly: true })).toEqual(["rbind", "rprivate", "rro"]);
  expect(optionsOf({ type: "bind", target: "/d", readOnly: true, nonRecursive: true })).toEqual([
    "bind",
    "private",
    "ro",
  ]);
  expect(optionsOf({ type: "bind", target: "/d", propagation: "rshared" })).toEqual(["rbind", "rshared"]);
  const input = {
    ...withMounts({ type: "bind", target: "/d", readOnly: true }),
    host: { ...sampleHost, kernel: "5.10.0" },
  };
  expect(buildMounts(input).at(-1)!.options).toEqual(["rbind", "rprivate", "ro"]);
});

test("an image can only be read", () => {
  expect(optionsOf({ type: "image", target: "/d" })).toEqual(["rbind", "rprivate", "rro"]);
});

test("a tmpfs is safe unless the user says otherwise", () => {
  expect(optionsOf({ type: "tmpfs", target: "/t" })).toEqual(["noexec", "nosuid", "nodev"]);
  expect(optionsOf({ type: "tmpfs", target: "/t", options: ["exec,size=1m", "rw"], size_bytes: 5 })).toEqual([
    "nosuid",
    "nodev",
    "exec",
    "size=1m",
    "rw",
  ]);
  expect(optionsOf({ type: "tmpfs", target: "/t", readOnly: true, mode: 0o1777 })).toContain("mode=1777");
  expect(() => optionsOf({ type: "tmpfs", target: "/t", options: ["lower=x"] })).toThrow(/^mounts: 'lower=x'/);
});

test("shared memory is the container's own, somebody's, or none", () => {
  const shm = (input: Parameters<typeof sampleSpecInput>) =>
    buildMounts(sampleSpecInput(...input)).find(mount => mount.destination === "/dev/shm");
  expect(shm([{ shmSize_bytes: 4096 }])!.options).toContain("size=4096");
  expect(shm([{}, { shmPath: "/run/x/shm" }])).toMatchObject({ type: "bind", source: "/run/x/shm" });
  expect(shm([{ namespaces: { ipc: "none" } }])).toBeUndefined();
});

test("the root shares mounts with the host only where a mount asks for it", () => {
  const of = (...modes: MountSpec["propagation"][]) =>
    rootPropagation(modes.map(propagation => ({ spec: { type: "bind", target: "/x", propagation }, source: "/x" })));
  expect([of(), of("rprivate"), of("rslave", undefined), of("slave", "shared")]).toEqual([
    undefined,
    undefined,
    "rslave",
    "shared",
  ]);
});

test("what cannot be is refused", () => {
  for (const target of ["relative", "/a/../b", "/"]) {
    expect(() => buildMounts(withMounts({ type: "bind", target, source: "/x" }))).toThrow(/^mounts: the target/);
  }
  expect(() => buildMounts(withMounts({ type: "volume", target: "/v", propagation: "shared" }))).toThrow(
    /^mounts: propagation/,
  );
});
