import { expect, test } from "vitest";
import { familiarName, formatReference, parseReference, storeKey, withDefaultTag } from "./reference.ts";

const digest = `sha256:${"ab".repeat(32)}`;

test.each([
  ["redis", "docker.io/library/redis:latest", "redis:latest"],
  ["redis:7", "docker.io/library/redis:7", "redis:7"],
  ["team/app", "docker.io/team/app:latest", "team/app:latest"],
  ["docker.io/redis", "docker.io/library/redis:latest", "redis:latest"],
  ["index.docker.io/library/redis:7", "docker.io/library/redis:7", "redis:7"],
  ["library/redis", "docker.io/library/redis:latest", "redis:latest"],
  ["docker.io/library/team/app", "docker.io/library/team/app:latest", "library/team/app:latest"],
  ["localhost/app", "localhost/app:latest", "localhost/app:latest"],
  ["localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1"],
  [
    "registry.example.com/a/b/c_d__e.f-g--h",
    "registry.example.com/a/b/c_d__e.f-g--h:latest",
    "registry.example.com/a/b/c_d__e.f-g--h:latest",
  ],
  ["Host/app", "Host/app:latest", "Host/app:latest"],
  ["[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest"],
  [`redis@${digest}`, `docker.io/library/redis@${digest}`, `redis@${digest}`],
  [`redis:7@${digest}`, `docker.io/library/redis:7@${digest}`, `redis:7@${digest}`],
  ["app:5000", "docker.io/library/app:5000", "app:5000"],
])("%s is read as Docker reads it", (text, full, familiar) => {
  const parsed = withDefaultTag(parseReference(text));
  expect(formatReference(parsed)).toBe(full);
  expect(familiarName(parsed)).toBe(familiar);
  expect(formatReference(withDefaultTag(parseReference(familiar)))).toBe(full);
});

test.each([
  ["", "empty"],
  ["Redis", "lowercase"],
  ["example.com/Team/app", "lowercase"],
  ["af".repeat(32), "image id"],
  ["redis:", "must look like"],
  ["redis:-x", "must look like"],
  ["redis@sha256:abc", "64 hexadecimal digits"],
  [`redis@sha512:${"a".repeat(128)}`, "only sha256"],
  ["a//b", "must look like"],
  ["../etc/passwd", "must look like"],
  ["-a", "must look like"],
  ["a___b", "must look like"],
  ["a..b", "must look like"],
  [`example.com/${"a".repeat(300)}`, "longer than 255"],
  [`redis:${"a".repeat(129)}`, "must look like"],
  ["redis 7", "must look like"],
])("%s is refused with the reason", (text, reason) => {
  expect(() => parseReference(text)).toThrow(reason);
});

test("the store knows a name with a digest by the digest alone", () => {
  expect(storeKey(parseReference(`redis:7@${digest}`))).toBe(`docker.io/library/redis@${digest}`);
});
