import { expect, test } from "vitest";
import { chainIds } from "./chain-id.ts";
import { layerPath, markerOf } from "./layer-path.ts";

test.each(["..", "../x", "a/../../x", "a/..", "/../x", "./..", "a/b/../c"])("%s is refused", path => {
  expect(() => layerPath(path)).toThrow(expect.objectContaining({ code: "invalid" }));
});

test("what no file system holds is refused", () => {
  expect(() => layerPath("a\0b")).toThrow(/zero byte/);
  expect(() => layerPath("n".repeat(256))).toThrow(/longer than 255/);
  expect(() => layerPath("d/".repeat(3000))).toThrow(/4096/);
});

test.each([
  ["./a/b", "a/b"],
  ["/a//b/", "a/b"],
  ["..a/b..", "..a/b.."],
  ["./", ""],
  ["...", "..."],
])("%s is the place %s inside the layer", (raw, path) => {
  expect(layerPath(raw).path).toBe(path);
});

test("whiteouts name what they hide, and never a way out", () => {
  expect(markerOf(layerPath("etc/.wh.passwd"))).toEqual({ kind: "whiteout", path: "etc/passwd" });
  expect(markerOf(layerPath(".wh..wh..opq"))).toEqual({ kind: "opaque", path: "" });
  expect(markerOf(layerPath("a/.wh..wh.aufs"))).toEqual({ kind: "ignored" });
  expect(markerOf(layerPath("a/b"))).toBeUndefined();
  for (const bad of [".wh.", ".wh..", ".wh..."]) expect(() => markerOf(layerPath(`a/${bad}`))).toThrow(/names nothing/);
});

test("chain ids are those of the OCI image specification", () => {
  const ids = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
  const [first, second] = chainIds(ids);
  expect(first).toBe(ids[0]);
  // printf 'sha256:aaa… sha256:bbb…' | sha256sum
  expect(second).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(chainIds(ids)[1]).toBe(second);
  expect(chainIds([ids[1]!, ids[0]!])[1]).not.toBe(second);
});
