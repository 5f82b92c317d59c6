import { BerthError } from "../../base/errors.ts";
import { type ByteString, fromBytes } from "./tar-entry.ts";

export const blockSize = 512;

/** Fields of one 512-byte header as they stand there (POSIX ustar; GNU tar manual, "Basic Tar Format"). */
export interface TarHeader {
  name: ByteString;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  typeflag: string;
  link: ByteString;
  major: number;
  minor: number;
}

/** Undefined for a block of zeros, which ends an archive. Throws `corrupt` on a wrong checksum or number. */
export function decodeHeader(block: Buffer): TarHeader | undefined {
  const stored = block[148] === 0 && block[0] === 0 && isZero(block) ? undefined : octalOrBinary(block, 148, 8);
  if (stored === undefined) return undefined;
  if (!checksums(block).includes(stored)) {
    throw new BerthError("corrupt", "read a tar header: the checksum is wrong", {
      hint: "the archive is damaged or is no tar",
    });
  }
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: octalOrBinary(block, 100, 8) & 0o7777,
    uid: octalOrBinary(block, 108, 8),
    gid: octalOrBinary(block, 116, 8),
    size: octalOrBinary(block, 124, 12),
    mtime: octalOrBinary(block, 136, 12),
    typeflag: String.fromCharCode(block[156]!),
    link: text(block, 157, 100),
    major: octalOrBinary(block, 329, 8),
    minor: octalOrBinary(block, 337, 8),
  };
}

function isZero(block: Buffer): boolean {
  return block.every(byte => byte === 0);
}

/** The sum counts the checksum field as spaces; old writers summed signed characters. */
function checksums(block: Buffer): [number, number] {
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < blockSize; at++) {
    const byte = at >= 148 && at < 156 ? 0x20 : block[at]!;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  return [unsigned, signed];
}

function text(block: Buffer, start: number, length: number): ByteString {
  const zero = block.indexOf(0, start);
  return fromBytes(block.subarray(start, zero < 0 ? start + length : Math.min(zero, start + length)));
}

/** Octal digits, or big-endian two's complement when the first bit is set (GNU tar manual, "Extensions"). */
export function octalOrBinary(block: Buffer, start: number, length: number): number {
  if (block[start]! & 0x80) return binary(block, start, length);
  let value = 0;
  let seen = false;
  for (let at = start; at < start + length; at++) {
    const byte = block[at]!;
    if (byte >= 0x30 && byte <= 0x37) {
      value = value * 8 + (byte - 0x30);
      seen = true;
    } else if (byte === 0 || (byte === 0x20 && seen)) break;
    else if (byte !== 0x20) throw new BerthError("corrupt", `read a tar header: byte ${byte} in a number at ${start}`);
  }
  return value;
}

function binary(block: Buffer, start: number, length: number): number {
  let value = BigInt(block[start]! & 0x7f);
  for (let at = start + 1; at < start + length; at++) value = (value << 8n) | BigInt(block[at]!);
  if (block[start]! & 0x40) value -= 1n << BigInt(length * 8 - 1);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new BerthError("corrupt", "read a tar header: a number is out of range");
  return number;
}
