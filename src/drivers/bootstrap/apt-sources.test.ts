import { expect, test } from "vitest";
import { formatAptSources, parseAptSources, sourcesForSuite } from "./apt-sources.ts";

const deb822 = `# Debian
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://other.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm
Components: main
`;
const oneLine = `# comment
deb [arch=amd64 signed-by=/etc/keys/k.gpg] https://vendor.example/apt stable main
deb http://mirror.example/debian bullseye main # old
deb http://mirror.example/security bullseye-security main
deb-src http://mirror.example/debian bullseye main
`;

test("enabled binary sources of both formats are read, and nothing else", () => {
  expect(parseAptSources("debian.sources", deb822).map(({ uri, suite }) => `${uri} ${suite}`)).toEqual([
    "http://mirror.example/debian bookworm",
    "http://mirror.example/debian bookworm-updates",
    "http://mirror.example/security bookworm-security",
  ]);
  expect(parseAptSources("vendor.list", oneLine)[0]).toEqual({
    uri: "https://vendor.example/apt",
    suite: "stable",
    components: ["main"],
    signedBy: "/etc/keys/k.gpg",
  });
});

test("the host's own suite keeps its mirrors, with updates and security", () => {
  const sources = sourcesForSuite(parseAptSources("debian.sources", deb822), "bookworm", "bookworm");
  expect(sources.map(source => source.suite)).toEqual(["bookworm", "bookworm-updates", "bookworm-security"]);
});

test("another suite comes from the same mirrors; a rolling one has no updates", () => {
  const all = parseAptSources("debian.sources", deb822);
  expect(sourcesForSuite(all, "trixie", "bookworm").map(({ uri, suite }) => `${uri} ${suite}`)).toEqual([
    "http://mirror.example/debian trixie",
    "http://mirror.example/debian trixie-updates",
    "http://mirror.example/security trixie-security",
  ]);
  expect(sourcesForSuite(all, "sid", "bookworm").map(source => source.suite)).toEqual(["sid"]);
});

test("a host that is no Debian serves only the suites that it names", () => {
  const all = parseAptSources("x.list", oneLine);
  expect(sourcesForSuite(all, "bookworm", undefined)).toEqual([]);
  expect(sourcesForSuite(all, "bullseye", undefined).map(source => source.suite)).toEqual([
    "bullseye",
    "bullseye-security",
  ]);
});

test("an inline key survives being written and read", () => {
  const signedBy = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n AAAA\n -----END PGP PUBLIC KEY BLOCK-----";
  const source = { uri: "http://m.example/d", suite: "sid", components: ["main"], signedBy };
  expect(parseAptSources("a.sources", formatAptSources([source]))).toEqual([source]);
});
