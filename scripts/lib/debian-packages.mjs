/** What Berth needs from Debian, and why: package -> [program that shows it is there, purpose]. */
export const runtimePackages = {
  conmon: ["conmon", "holds each container"],
  runc: ["runc", "starts containers"],
  crun: ["crun", "starts containers, quicker where it works"],
  iproute2: ["ip", "network tools"],
  nftables: ["nft", "published ports"],
  tini: ["tini-static", "init of containers run with --init"],
  procps: ["ps", "berth top"],
  tar: ["tar", "unpacks layers"],
  "busybox-static": ["busybox", "the busybox image"],
  mmdebstrap: ["mmdebstrap", "the debian images"],
  git: ["git", "builds from git"],
  "xz-utils": ["xz", "ADD of .xz archives"],
  bzip2: ["bzip2", "ADD of .bz2 archives"],
  "ca-certificates": ["/etc/ssl/certs/ca-certificates.crt", "registries over TLS"],
};

/** What the tests and benchmarks need besides: the real programs that Berth is measured against. */
export const testPackages = {
  "docker.io": ["/usr/sbin/dockerd", "peer of tests and benchmarks"],
  "docker-compose": ["docker-compose", "client under test"],
  "docker-registry": ["docker-registry", "registry under test"],
  "python3-docker": ["/usr/lib/python3/dist-packages/docker/__init__.py", "client under test"],
  skopeo: ["skopeo", "registry client under test"],
  zstd: ["zstd", "layers under test"],
};
