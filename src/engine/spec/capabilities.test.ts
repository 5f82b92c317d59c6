import { expect, test } from "vitest";
import { capabilitySets, chooseCapabilities, defaultCapabilities, knownCapabilities } from "./capabilities.ts";

const all = knownCapabilities;

test("without a wish it is Docker's set of 14", () => {
  expect(new Set(chooseCapabilities({}, all))).toEqual(new Set(defaultCapabilities));
  expect(defaultCapabilities).toHaveLength(14);
});

test("single ones are added and dropped, in any spelling", () => {
  const chosen = chooseCapabilities({ add: ["net_admin"], drop: ["CAP_MKNOD", "Kill"] }, all);
  expect(chosen).toContain("CAP_NET_ADMIN");
  expect(chosen).not.toContain("CAP_MKNOD");
  expect(chosen).not.toContain("CAP_KILL");
});

test("ALL is everything the host has, or nothing", () => {
  expect(chooseCapabilities({ add: ["ALL"], drop: ["SYS_ADMIN"] }, all)).toEqual(
    all.filter(name => name !== "CAP_SYS_ADMIN"),
  );
  expect(chooseCapabilities({ drop: ["all"] }, all)).toEqual([]);
  expect(chooseCapabilities({ drop: ["ALL"], add: ["CHOWN"] }, all)).toEqual(["CAP_CHOWN"]);
  expect(chooseCapabilities({ privileged: true, drop: ["ALL"] }, ["CAP_CHOWN", "CAP_BPF"])).toEqual([
    "CAP_CHOWN",
    "CAP_BPF",
  ]);
});

test("what the host lacks is left out of sets, and refused by name", () => {
  expect(chooseCapabilities({}, ["CAP_CHOWN"])).toEqual(["CAP_CHOWN"]);
  expect(() => chooseCapabilities({ add: ["SYS_RESOURCE"] }, ["CAP_CHOWN"])).toThrow(/^capAdd: .*CAP_SYS_RESOURCE/);
  expect(() => chooseCapabilities({ drop: ["FLY"] }, all)).toThrow(/^capDrop: 'FLY'/);
});

test("only root starts with them in effect", () => {
  expect(capabilitySets(["CAP_CHOWN"], 0)).toEqual({
    bounding: ["CAP_CHOWN"],
    effective: ["CAP_CHOWN"],
    permitted: ["CAP_CHOWN"],
  });
  expect(capabilitySets(["CAP_CHOWN"], 33)).toEqual({ bounding: ["CAP_CHOWN"] });
});
