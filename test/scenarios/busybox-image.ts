import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import type { Image } from "../../src/model/image.ts";
import type { ImageService } from "../../src/ports/images.ts";

const applets =
  `sh ash cat echo env false head hostname id ip kill ls mkdir mount nc nslookup ping printf ps pwd readlink rm seq sleep stat stty tail test touch
  true tty umount uname wc wget yes dd df tr grep cut sort mv cp ln chmod chown od md5sum sha256sum sync httpd nproc ulimit find vi top trap timeout mknod
  date dirname basename expr awk sed xargs time usleep telnet dmesg free uptime who whoami adduser su`.split(/\s+/);

/** A root file system of one static program: small, and made without any registry. */
export async function importBusybox(images: ImageService, reference = "busybox:latest"): Promise<Image> {
  const tar = pack();
  const mtime = new Date("2024-01-01T00:00:00Z");
  const directory = (name: string, mode = 0o755) => tar.entry({ name, type: "directory", mode, mtime });
  const file = (name: string, content: string | Buffer, mode = 0o644) => tar.entry({ name, mode, mtime }, content);
  for (const name of [
    "bin/",
    "etc/",
    "home/",
    "root/",
    "usr/",
    "usr/bin/",
    "var/",
    "var/data/",
    "dev/",
    "proc/",
    "sys/",
  ]) {
    directory(name);
  }
  directory("tmp/", 0o1777);
  file("bin/busybox", readFileSync("/bin/busybox"), 0o755);
  for (const name of applets) tar.entry({ name: `bin/${name}`, type: "symlink", linkname: "busybox", mtime });
  file(
    "etc/passwd",
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\nweb:x:1000:1000::/home:/bin/sh\n",
  );
  file("etc/group", "root:x:0:\nnogroup:x:65534:\nweb:x:1000:\nstaff:x:50:web\n");
  file("var/data/from-image", "kept\n");
  tar.finalize();
  const config = { Cmd: ["sh"], Env: ["PATH=/bin:/usr/bin"] };
  const platform = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };
  return await images.import(Readable.from(tar), { reference, config, platform });
}
