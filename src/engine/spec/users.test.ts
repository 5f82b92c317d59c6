import { expect, test } from "vitest";
import { resolveUser } from "./users.ts";

const files = {
  passwd:
    "# comment\nroot:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/var/www:/bin/false\n7:x:1007:8:odd:/odd:\nbroken\n",
  group: "root:x:0:\nweb:x:34:web\nmedia:x:44:other,web\nstaff:x:50:\nbroken:x:\n",
};

test("a name gets its numbers, its groups and its home from the container's own files", () => {
  expect(resolveUser("web", files)).toEqual({ uid: 33, gid: 34, additionalGids: [44], home: "/var/www" });
});

test("nothing given is root; a number needs no entry but has its groups where there is one", () => {
  expect(resolveUser("", files)).toEqual({ uid: 0, gid: 0, additionalGids: [], home: "/root" });
  expect(resolveUser("4000", files)).toEqual({ uid: 4000, gid: 0, additionalGids: [], home: "/" });
  expect(resolveUser("33", files)).toEqual({ uid: 33, gid: 34, additionalGids: [44], home: "/var/www" });
  expect(resolveUser("0", { passwd: "", group: "" })).toEqual({ uid: 0, gid: 0, additionalGids: [], home: "/" });
});

test("a name made of digits counts as a name first", () => {
  expect(resolveUser("7", files).uid).toBe(1007);
});

test("a group given replaces the user's own ones; further ones are always added", () => {
  expect(resolveUser("web:staff", files)).toMatchObject({ gid: 50, additionalGids: [] });
  expect(resolveUser("web:99", files, ["media", "100"])).toMatchObject({ gid: 99, additionalGids: [44, 100] });
});

test("unknown names and impossible numbers are refused, naming the field", () => {
  expect(() => resolveUser("nobody", files)).toThrow(/^user: .* no user 'nobody'/);
  expect(() => resolveUser("web:none", files)).toThrow(/^user: .* no group 'none'/);
  expect(() => resolveUser("web", files, ["none"])).toThrow(/^groups: .* no group 'none'/);
  expect(() => resolveUser("4294967296", files)).toThrow(/^user: 4294967296 is not between/);
});
