import { mkdirSync, readFileSync } from "node:fs";
import type { MountEntry, Mounts } from "../../ports/mounts.ts";
import { mount, mountFlags, unmountIfMounted } from "../linux/mount.ts";

/** The mount table of the namespace that this process is in. */
export class LinuxMounts implements Mounts {
  tmpfs(target: string, { size_bytes, mode }: { size_bytes: number; mode: number }): void {
    mkdirSync(target, { recursive: true });
    if (this.under(target).some(entry => entry.target === target)) return;
    const flags = mountFlags.noSuid | mountFlags.noDev | mountFlags.noExec;
    mount("shm", target, "tmpfs", flags, `size=${size_bytes},mode=${mode.toString(8)}`);
  }

  unmount(target: string): boolean {
    return unmountIfMounted(target);
  }

  under(path: string): MountEntry[] {
    const entries = readFileSync("/proc/self/mountinfo", "utf8").split("\n").filter(Boolean).map(parseEntry);
    const below = entries.filter(({ target }) => target === path || target.startsWith(`${path}/`));
    return below.sort((a, b) => b.target.length - a.target.length);
  }
}

/** proc(5), mountinfo: `id parent major:minor root target options [tags] - type source super-options`. */
function parseEntry(line: string): MountEntry {
  const [before = "", after = ""] = line.split(" - ");
  const [type = "", source = ""] = after.split(" ");
  return { target: unescapeOctal(before.split(" ")[4] ?? ""), type, source: unescapeOctal(source) };
}

/** Space, tab, newline and backslash are written in octal. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
