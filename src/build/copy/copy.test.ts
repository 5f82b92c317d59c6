import { describe, expect, test } from "vitest";
import { parseMode } from "./mode.ts";
import { parseOwner } from "./owner.ts";

describe("--chmod", () => {
  test.each([
    ["755", 0o600, false, 0o755],
    ["0644", 0o755, false, 0o644],
    ["4711", 0o600, false, 0o4711],
    ["u=rwX,go=rX", 0o600, true, 0o755],
    ["u=rwX,go=rX", 0o600, false, 0o644],
    ["u=rwX,go=rX", 0o700, false, 0o755],
    ["a+x", 0o644, false, 0o755],
    ["go-rwx", 0o755, false, 0o700],
    ["+t", 0o777, true, 0o1777],
    ["u+s", 0o755, false, 0o4755],
    ["=r", 0o777, false, 0o444],
  ])("%s of %i", (text, before, isDirectory, after) => {
    expect(parseMode(text)(before, isDirectory).toString(8)).toBe(after.toString(8));
  });

  test.each(["", "999", "u=q", "rwx", "77777"])("refuses '%s'", text => {
    expect(() => parseMode(text)).toThrow(`--chmod is '${text}'`);
  });
});

describe("--chown", () => {
  const files = {
    passwd: () => "root:x:0:0::/:/bin/sh\nweb:x:33:44::/:\n",
    group: () => "root:x:0:\nstaff:x:50:\n",
  };
  const nothing = { passwd: () => undefined, group: () => undefined };

  test.each([
    ["web", { uid: 33, gid: 44 }],
    ["web:staff", { uid: 33, gid: 50 }],
    ["web:7", { uid: 33, gid: 7 }],
    ["5", { uid: 5, gid: 5 }],
    ["5:staff", { uid: 5, gid: 50 }],
  ])("%s", (text, owner) => {
    expect(parseOwner(text, files)).toEqual(owner);
  });

  test("root is root in an image without accounts; other names are looked for in vain", () => {
    expect(parseOwner("root:root", nothing)).toEqual({ uid: 0, gid: 0 });
    expect(() => parseOwner("web", nothing)).toThrow("the user 'web' is not in /etc/passwd");
    expect(() => parseOwner("5:staff", nothing)).toThrow("the group 'staff' is not in /etc/group");
    expect(() => parseOwner(":5", files)).toThrow("--chown is ':5'");
  });
});
