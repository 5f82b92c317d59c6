import { expect, test } from "vitest";
import { formatPlatform, parsePlatform, platformDistance } from "./platform.ts";

const host = { os: "linux", architecture: "amd64" };

test.each([
  ["linux/amd64", "linux/amd64"],
  ["linux/x86_64", "linux/amd64"],
  ["aarch64", "linux/arm64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/armhf", "linux/arm/v7"],
  ["linux/arm/v6", "linux/arm/v6"],
  ["windows", "windows/amd64"],
])("--platform %s means %s", (text, meant) => {
  expect(formatPlatform(parsePlatform(text, host))).toBe(meant);
});

test.each(["", "a/b/c/d", "linux/", "linux/amd 64"])("--platform %j is refused", text => {
  expect(() => parsePlatform(text, host)).toThrow("is not os/architecture");
});

test.each([
  ["linux/arm", "linux/arm/v7", 0],
  ["linux/arm/v7", "linux/arm/v6", 1],
  ["linux/arm/v6", "linux/arm/v7", undefined],
  ["linux/arm64", "linux/arm64/v8", 0],
  ["linux/amd64", "linux/amd64/v3", undefined],
  ["linux/amd64", "linux/arm64", undefined],
  ["linux/amd64", "windows/amd64", undefined],
])("a host that is %s runs %s images: %s", (wanted, offered, distance) => {
  expect(platformDistance(parsePlatform(wanted, host), parsePlatform(offered, host))).toBe(distance);
});
