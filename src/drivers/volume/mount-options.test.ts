import { expect, test } from "vitest";
import { mountPlan, withAddress } from "./mount-options.ts";

test("flags that the kernel knows are taken out of the file system's own options", () => {
  expect(mountPlan("v", { type: "tmpfs", device: "tmpfs", o: "size=100m,nosuid,ro,uid=1000" })).toEqual({
    source: "tmpfs",
    type: "tmpfs",
    flags: 2 | 1,
    data: "size=100m,uid=1000",
    addressToResolve: undefined,
  });
});

test("a later option takes an earlier one back", () => {
  expect(mountPlan("v", { type: "none", device: "/srv", o: "bind,ro,rw" })?.flags).toBe(4096);
});

test("the server of an NFS volume is replaced by its address", () => {
  const plan = mountPlan("v", { type: "nfs", device: ":/export", o: "addr=files.example,rw,vers=4" })!;
  expect(plan.addressToResolve).toBe("files.example");
  expect(withAddress(plan, "192.0.2.7").data).toBe("addr=192.0.2.7,vers=4");
});

test.each([
  [{ type: "nfs" }, '"device" is missing'],
  [{ device: "/dev/sdz" }, '"type" is missing'],
  [{ type: "none", o: "bind", device: "srv" }, "not an absolute path"],
])("options that mean nothing are refused: %j", (options, message) => {
  expect(() => mountPlan("v", options)).toThrow(message);
});

test("no options, no mount", () => {
  expect(mountPlan("v", {})).toBeUndefined();
});
