const PT_INTERP = 3;

/** Whether an ELF program of this host's byte order runs without a loader (elf(5)): it has no interpreter. Anything else is not static. */
export function isStaticProgram(file: Buffer): boolean {
  if (file.length < 64 || file.toString("latin1", 0, 4) !== "\x7fELF" || file[5] !== 1) return false;
  const is64 = file[4] === 2;
  const table = is64 ? Number(file.readBigUInt64LE(32)) : file.readUInt32LE(28);
  const size = file.readUInt16LE(is64 ? 54 : 42);
  const count = file.readUInt16LE(is64 ? 56 : 44);
  for (let at = table; at < table + size * count && at + 4 <= file.length; at += size) {
    if (file.readUInt32LE(at) === PT_INTERP) return false;
  }
  return true;
}
