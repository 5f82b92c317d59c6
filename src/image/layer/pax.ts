import { BerthError } from "../../base/errors.ts";
import type { TarTime } from "./tar-entry.ts";

/** Keys and values of a PAX extended header (POSIX.1-2024 pax, "pax Extended Header"); values are bytes, since attributes are. */
export type PaxRecords = Map<string, Buffer>;

/** Parses `LENGTH KEY=VALUE\n` records. Repeated keys (GNU.sparse.offset of format 0.0) reach `onRecord` one by one. */
export function parsePax(data: Buffer, onRecord?: (key: string, value: Buffer) => void): PaxRecords {
  const records: PaxRecords = new Map();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const digits = space < 0 ? "" : data.toString("latin1", at, space);
    const length = /^\d{1,9}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = data.indexOf(0x3d, space);
    if (length < 5 || end > data.length || data[end - 1] !== 0x0a || equals < 0 || equals >= end - 1) {
      // Some writers pad with zeros after the last record.
      if (data.subarray(at).every(byte => byte === 0)) break;
      throw new BerthError("corrupt", `read a PAX header: malformed record at byte ${at}`);
    }
    const key = data.toString("utf8", space + 1, equals);
    const value = Buffer.from(data.subarray(equals + 1, end - 1));
    onRecord?.(key, value);
    records.set(key, value);
    at = end;
  }
  return records;
}

/** One record; its length counts its own digits. */
export function encodePaxRecord(key: string, value: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`, "utf8"), value, Buffer.from("\n")]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

/** Seconds with an optional fraction, possibly negative. */
export function parsePaxTime(value: Buffer): TarTime {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value.toString("latin1"));
  if (match === null)
    throw new BerthError("corrupt", `read a PAX header: time "${value.toString("utf8")}" is no number`);
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  if (match[1] === "") return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}

export function parsePaxNumber(key: string, value: Buffer): number {
  const text = value.toString("latin1");
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number))
    throw new BerthError("corrupt", `read a PAX header: ${key} "${text}" is no number`);
  return number;
}
