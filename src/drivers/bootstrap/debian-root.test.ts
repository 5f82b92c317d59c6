import { expect, test } from "vitest";
import { debianSuite, imageFiles, transportSettings } from "./debian-root.ts";

test.each([
  ["debian:bookworm", { suite: "bookworm", isSlim: false }],
  ["debian:12-slim", { suite: "bookworm", isSlim: true }],
  ["debian:latest", { suite: "stable", isSlim: false }],
  ["debian:sid-slim", { suite: "sid", isSlim: true }],
  ["debian:99", undefined],
  ["debian:bookworm-20240101", undefined],
  ["ubuntu:noble", undefined],
])("%s is the suite that it names", (name, wanted) => {
  expect(debianSuite(`docker.io/library/${name}`)).toEqual(wanted);
});

test("how the host reaches archives goes along, but no proxy on its loopback goes into the image", () => {
  const settings = transportSettings(
    'APT::Architecture "amd64";\nAcquire::http::Proxy "http://127.0.0.1:3142";\nAcquire::https::Proxy "http://proxy.example:3128";\nAcquire::Check-Date "false";\nAcquire::cdrom::mount "/media/cdrom/";\nAcquire::ForceIPv4 "";\n',
  );
  expect(settings.map(({ name }) => name)).toEqual([
    "Acquire::http::Proxy",
    "Acquire::https::Proxy",
    "Acquire::Check-Date",
  ]);
  const apt = imageFiles(settings, false).get("etc/apt/apt.conf.d/90container");
  expect(apt).toContain("proxy.example");
  expect(apt).not.toContain("127.0.0.1");
});

test("only slim images leave documentation out", () => {
  expect(imageFiles([], true).get("etc/dpkg/dpkg.cfg.d/90container")).toContain("path-exclude=/usr/share/man/*");
  expect(imageFiles([], false).get("etc/dpkg/dpkg.cfg.d/90container")).not.toContain("path-exclude");
});
