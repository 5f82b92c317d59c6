/**
 * crun 1.8 refuses hosts with version 1 control groups where a version 2 tree is mounted as well ("hybrid"), though it needs that tree for nothing. So it is
 * started in a mount namespace of its own in which that tree is unmounted; all other mounts stay as they are, shared with the host as before.
 * Perl, since it is on every Debian machine (perl-base is Essential) and one process does all: unshare, mount, umount2, exec.
 */
const syscallNumbers: Record<string, { unshare: number; mount: number; umount2: number }> = {
  x64: { unshare: 272, mount: 165, umount2: 166 },
  arm64: { unshare: 97, mount: 40, umount2: 39 },
};

const CLONE_NEWNS = 0x20000;
const MS_PRIVATE_RECURSIVE = (1 << 18) | (1 << 14);
const MNT_DETACH = 2;

/** Arguments for perl, before the program to run and its own; undefined on machines whose system call numbers are not listed here. */
export function hidingArguments(machine: string, tree: string, unified: string): string[] | undefined {
  const numbers = syscallNumbers[machine];
  if (numbers === undefined) return undefined;
  const script = [
    `my ($none, $tree, $unified) = ("none", "${tree}", "${unified}")`,
    `syscall(${numbers.unshare}, ${CLONE_NEWNS}) == 0 or die "unshare: $!\\n"`,
    `syscall(${numbers.mount}, $none, $tree, 0, ${MS_PRIVATE_RECURSIVE}, 0) == 0 or die "mount: $!\\n"`,
    `syscall(${numbers.umount2}, $unified, ${MNT_DETACH}) == 0 or die "umount: $!\\n"`,
    `exec { $ARGV[0] } @ARGV or die "exec: $!\\n"`,
  ];
  return ["-e", script.join("; "), "--"];
}
