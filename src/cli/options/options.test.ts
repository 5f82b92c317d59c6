import { expect, test } from "vitest";
import { parseMount, parseTmpfs, parseVolume } from "./mounts.ts";
import { parseExpose, parsePublish } from "./ports.ts";

test.each([
  ["80", [{ containerPort: 80, protocol: "tcp" }]],
  ["8080:80", [{ containerPort: 80, protocol: "tcp", hostPort: 8080 }]],
  ["127.0.0.1:8080:80/udp", [{ containerPort: 80, protocol: "udp", hostAddress: "127.0.0.1", hostPort: 8080 }]],
  ["127.0.0.1::80", [{ containerPort: 80, protocol: "tcp", hostAddress: "127.0.0.1" }]],
  ["[::1]:53:53/udp", [{ containerPort: 53, protocol: "udp", hostAddress: "::1", hostPort: 53 }]],
  [
    "8000-8001:80-81",
    [
      { containerPort: 80, protocol: "tcp", hostPort: 8000 },
      { containerPort: 81, protocol: "tcp", hostPort: 8001 },
    ],
  ],
  ["8000-8010:80", [{ containerPort: 80, protocol: "tcp", hostPort: 8000, hostPortEnd: 8010 }]],
])("-p %s is read as docker reads it", (text, expected) => {
  expect(JSON.parse(JSON.stringify(parsePublish(text)))).toEqual(expected);
});

test.each(["", "http", "80/sctp", "8000-8001:80-90", "70000", "90-80", "1:2:3:4:5"])(
  "-p %s is refused with an example",
  text => {
    expect(() => parsePublish(text)).toThrow(
      expect.objectContaining({ code: "invalid", hint: expect.stringContaining("8080:80") }),
    );
  },
);

test("--expose takes ranges and protocols", () => {
  expect(parseExpose("53-54/udp")).toEqual(["53/udp", "54/udp"]);
});

test("-v tells host paths from volume names, and keeps its options", () => {
  expect(parseVolume("data:/var/lib:ro,nocopy", "/home")).toEqual({
    type: "volume",
    source: "data",
    target: "/var/lib",
    readOnly: true,
    noCopy: true,
  });
  expect(parseVolume("./site:/srv:rslave", "/home")).toEqual({
    type: "bind",
    source: "/home/site",
    target: "/srv",
    createHostPath: true,
    propagation: "rslave",
  });
  expect(parseVolume("/cache", "/home")).toEqual({ type: "volume", source: "", target: "/cache" });
  expect(() => parseVolume("data:relative", "/home")).toThrow(/absolute path/);
  expect(() => parseVolume("a:/b:sticky", "/home")).toThrow(/"sticky" is no option/);
});

test("--mount reads all keys and names an unknown one", () => {
  expect(parseMount('type=volume,source=db,"volume-opt=o=addr=1.2.3.4,rw",dst=/data,readonly', "/")).toEqual({
    type: "volume",
    source: "db",
    target: "/data",
    readOnly: true,
    driverOptions: { o: "addr=1.2.3.4,rw" },
  });
  expect(parseMount("type=tmpfs,target=/run,tmpfs-size=64m,tmpfs-mode=1770", "/")).toMatchObject({
    size_bytes: 64 * 1024 ** 2,
    mode: 0o1770,
  });
  expect(() => parseMount("type=bind,target=/x", "/")).toThrow(/needs source/);
  expect(() => parseMount("type=volume,target=/x,colour=red", "/")).toThrow(/"colour" is no option/);
});

test("--tmpfs splits off its options", () => {
  expect(parseTmpfs("/run:size=64m,noexec")).toEqual({
    type: "tmpfs",
    target: "/run",
    options: ["size=64m", "noexec"],
  });
});
