import { assert } from "../../base/errors.ts";

const block_bytes = 512;
/** What eleven octal digits hold: larger files need the binary form (GNU tar, "base-256"). */
const octalLimit = 8 ** 11;

/** Two blocks of zeros end an archive. */
export const tarEnd = Buffer.alloc(2 * block_bytes);

/** Header of a plain file in an archive that we write: owned by root, dated 1970, so that it depends on the content alone (POSIX.1-1988 ustar). */
export function tarFileHeader(name: string, size_bytes: number): Buffer {
  assert(Buffer.byteLength(name) <= 100, `${name} fits a tar header`);
  const header = Buffer.alloc(block_bytes);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  if (size_bytes < octalLimit) header.write(`${size_bytes.toString(8).padStart(11, "0")}\0`, 124);
  else {
    header.writeUInt8(0x80, 124);
    header.writeBigUInt64BE(BigInt(size_bytes), 128);
  }
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

export function tarPadding(size_bytes: number): Buffer {
  return Buffer.alloc((block_bytes - (size_bytes % block_bytes)) % block_bytes);
}
