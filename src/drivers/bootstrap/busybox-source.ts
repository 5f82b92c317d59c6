import { readFile, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { BerthError } from "../../base/errors.ts";
import { normalizePlatform } from "../../image/platform.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { ImageSource, ProducedImage } from "../../ports/image-source.ts";
import type { ProgressSink } from "../../ports/images.ts";
import { defaultPath } from "./default-path.ts";
import { isStaticProgram } from "./elf.ts";
import { type RootEntry, rootTar } from "./root-tar.ts";
import { runProgram } from "./run-program.ts";

const programs = ["/bin/busybox", "/usr/bin/busybox"];
const hint = "install it: apt-get install busybox-static";

/** busybox[:tag] from Debian's static binary: one program under some 270 names. Any tag means the version that is installed. */
export class BusyboxSource implements ImageSource {
  readonly name = "busybox";
  readonly offers = "busybox";
  readonly #programs: string[];

  /** `candidates` are tried in order; the first static one is taken. */
  constructor(candidates: string[] = programs) {
    this.#programs = candidates;
  }

  matches(reference: string): boolean {
    return /^docker\.io\/library\/busybox:[\w.-]+$/.test(reference);
  }

  async produce(_reference: string, options: CallOptions & { onProgress?: ProgressSink } = {}): Promise<ProducedImage> {
    const { path, program, mtime_s } = await this.#findProgram();
    options.onProgress?.({ id: "", status: `Making busybox from ${path}` });
    const { signal } = options;
    const applets = (await runProgram(path, ["--list"], { signal, hint })).split("\n").filter(Boolean);
    const version = /BusyBox v(\S+)/.exec(await runProgram(path, ["--help"], { signal, hint }))?.[1] ?? "unknown";
    return {
      tar: Readable.from([rootTar(rootEntries(program, applets), mtime_s)], { objectMode: false }),
      config: { Cmd: ["sh"], Env: [`PATH=${defaultPath}`] },
      platform: normalizePlatform({ os: "linux", architecture: process.arch }),
      created: new Date(mtime_s * 1000).toISOString(),
      createdBy: `berth bootstrap busybox from ${path} ${version}`,
      async [Symbol.asyncDispose]() {},
    };
  }

  /** The package's own time is the image's: the same package gives the same image on any day. */
  async #findProgram(): Promise<{ path: string; program: Buffer; mtime_s: number }> {
    let dynamic: string | undefined;
    for (const path of this.#programs) {
      const program = await readFile(path).catch(() => undefined);
      if (program === undefined) continue;
      if (isStaticProgram(program)) return { path, program, mtime_s: Math.floor((await stat(path)).mtimeMs / 1000) };
      dynamic = path;
    }
    throw dynamic === undefined
      ? new BerthError("not_found", "bootstrap busybox: no busybox is installed on this host", { hint })
      : new BerthError("not_found", `bootstrap busybox: ${dynamic} needs libraries, which the image would not have`, {
          hint,
        });
  }
}

const passwd = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
mail:x:8:8:mail:/var/spool/mail:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`;
const group = `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
mail:x:8:
wheel:x:10:root
www-data:x:33:
users:x:100:
nogroup:x:65534:
`;
const shadow = passwd.replace(/^([^:]+):.*$/gm, "$1:*:::::::");

/** The tree that Docker's busybox image has: all programs in /bin, hard links of one. */
function rootEntries(program: Buffer, applets: string[]): RootEntry[] {
  const directory = (path: string, mode = 0o755, uid = 0): RootEntry => ({ path, type: "directory", mode, uid });
  const text = (path: string, content: string, mode = 0o644): RootEntry => ({ path, type: "file", mode, content });
  const names = applets.filter(name => name !== "busybox" && /^[\w.[-]+$/.test(name));
  return [
    directory("bin"),
    { path: "bin/busybox", type: "file", mode: 0o755, content: program },
    ...names.map((name): RootEntry => ({ path: `bin/${name}`, type: "hardlink", link: "bin/busybox", mode: 0o755 })),
    directory("dev"),
    directory("etc"),
    text("etc/group", group),
    text("etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"),
    text("etc/passwd", passwd),
    text("etc/shadow", shadow, 0o600),
    directory("home", 0o755, 65534),
    directory("proc"),
    directory("root", 0o700),
    directory("sys"),
    directory("tmp", 0o1777),
    directory("usr"),
    directory("usr/bin"),
    // Scripts begin with #!/usr/bin/env.
    { path: "usr/bin/env", type: "hardlink", link: "bin/busybox", mode: 0o755 },
    directory("usr/sbin"),
    directory("var"),
    directory("var/spool"),
    directory("var/spool/mail"),
    directory("var/www"),
  ];
}
