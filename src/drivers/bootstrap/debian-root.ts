/** Files and commands that turn a bare Debian into an image's root file system. All pure text. */

/** Settings of the host's apt that an image needs as well to reach the same archives. */
const sharedSettings = /^Acquire::(Check-Valid-Until|Check-Date|ForceIPv4|ForceIPv6|https?::Proxy(::[\w.-]+)?)$/;

/** Lines `Name "value";` of `apt-config dump` that concern how archives are reached. */
export function transportSettings(dump: string): { name: string; value: string }[] {
  return [...dump.matchAll(/^(Acquire::[\w:.-]+) "(.*)";$/gm)]
    .map(match => ({ name: match[1]!, value: match[2]! }))
    .filter(({ name, value }) => sharedSettings.test(name) && value !== "");
}

/** A proxy on the host's loopback is for the host alone. */
export const isLoopback = (value: string): boolean => /\/\/(localhost|127\.|\[::1\])/.test(value);

/** What Debian's own images set, so that builds stay small: no recommended languages, no caches kept, no services started. */
export function imageFiles(settings: { name: string; value: string }[], isSlim: boolean): Map<string, string> {
  const clean =
    '"rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"';
  const apt = [
    `DPkg::Post-Invoke { ${clean}; };`,
    `APT::Update::Post-Invoke { ${clean}; };`,
    'Dir::Cache::pkgcache "";',
    'Dir::Cache::srcpkgcache "";',
    'Acquire::Languages "none";',
    'Acquire::GzipIndexes "true";',
    'APT::AutoRemove::SuggestsImportant "false";',
    ...settings.filter(({ value }) => !isLoopback(value)).map(({ name, value }) => `${name} "${value}";`),
  ];
  const files = new Map([
    ["etc/apt/apt.conf.d/90container", lines(apt)],
    ["etc/dpkg/dpkg.cfg.d/90container", lines(["force-unsafe-io", ...(isSlim ? slimRules : [])])],
    [
      "usr/sbin/policy-rc.d",
      "#!/bin/sh\n# A container has no init system: packages must not start services.\nexit 101\n",
    ],
  ]);
  return files;
}

/** As debuerreotype has them for Debian's slim images; they hold for packages installed later, too. */
export const slimRules: string[] = [
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
  "path-exclude=/usr/share/groff/*",
  "path-exclude=/usr/share/info/*",
  "path-exclude=/usr/share/linda/*",
  "path-exclude=/usr/share/lintian/*",
  "path-exclude=/usr/share/locale/*",
  "path-include=/usr/share/locale/locale.alias",
  "path-exclude=/usr/share/man/*",
];

/** Shell command with the root as $1: takes away what differs from run to run, and what belongs to the host. */
export const cleanCommand: string = [
  "set -e",
  'cd "$1"',
  "rm -f etc/apt/apt.conf.d/99mmdebstrap etc/dpkg/dpkg.cfg.d/99mmdebstrap",
  "mv etc/apt/sources.list.d/0000debian.sources etc/apt/sources.list.d/debian.sources",
  "rm -f etc/resolv.conf etc/hostname etc/machine-id var/lib/dbus/machine-id var/lib/systemd/random-seed",
  "rm -f etc/passwd- etc/group- etc/shadow- etc/gshadow- etc/subuid- etc/subgid-",
  "rm -f var/cache/apt/*.bin var/cache/apt/archives/*.deb",
  "rm -f var/cache/ldconfig/aux-cache var/cache/debconf/*-old var/lib/dpkg/*-old",
  "find var/log -type f -delete",
].join("; ");

const lines = (all: string[]): string => all.map(line => `${line}\n`).join("");

/** Tags that name a release by number or standing. A number that is not listed here is asked for by its suite's name. */
const aliases: Record<string, string> = {
  latest: "stable",
  "11": "bullseye",
  "12": "bookworm",
  "13": "trixie",
  "14": "forky",
};

/** bookworm, bookworm-slim, 12, 12-slim, stable … of docker.io/library/debian; undefined for any other reference. */
export function debianSuite(reference: string): { suite: string; isSlim: boolean } | undefined {
  const match = /^docker\.io\/library\/debian:([a-z]+|\d+)(-slim)?$/.exec(reference);
  if (match === null) return undefined;
  const suite = aliases[match[1]!] ?? match[1]!;
  return /^\d/.test(suite) ? undefined : { suite, isSlim: match[2] !== undefined };
}
