import { expect, test } from "vitest";
import { parseCapabilityMask, parseHardLimits, parseOsName } from "./proc-text.ts";

test("a capability mask gives names; bits of kernels to come are left out", () => {
  expect(parseCapabilityMask("0000000000000003")).toEqual(["CAP_CHOWN", "CAP_DAC_OVERRIDE"]);
  expect(parseCapabilityMask("000001ffffffffff")).toHaveLength(41);
  expect(parseCapabilityMask("ffffffffffffffff")).toHaveLength(41);
});

test("hard limits by the names of ulimit, unlimited ones left out", () => {
  const text = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            1024                 20000                files
Max locked memory         8388608              8388608              bytes
Max processes             unlimited            96365                processes
`;
  expect(parseHardLimits(text)).toEqual({ nofile: 20000, memlock: 8388608, nproc: 96365 });
});

test("the system's name, quoted or not", () => {
  expect(parseOsName('NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')).toBe(
    "Debian GNU/Linux 12 (bookworm)",
  );
  expect(parseOsName("PRETTY_NAME=Alpine\n")).toBe("Alpine");
  expect(parseOsName("")).toBe("Linux");
});
