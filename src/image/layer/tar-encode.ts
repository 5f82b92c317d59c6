import { encodePaxRecord } from "./pax.ts";
import { type ByteString, type TarEntry, type TarEntryType, toBytes } from "./tar-entry.ts";
import { blockSize } from "./tar-header.ts";

const typeflags: Record<TarEntryType, string> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

/** Biggest number in 7 and in 11 octal digits. */
const short = 0o7777777;
const long = 0o77777777777;

/** What ends an archive: two blocks of zeros. */
export const tarEnd: Buffer = Buffer.alloc(2 * blockSize);

/** Zeros that fill a member's data to whole blocks. */
export function tarPadding(size: number): Buffer {
  return tarEnd.subarray(0, (blockSize - (size % blockSize)) % blockSize);
}

/**
 * Header blocks of one member: plain ustar where everything fits, with a PAX header in front where not. The same entry always gives the same bytes:
 * no user names, whole seconds, records in order of their keys.
 */
export function encodeEntry(entry: TarEntry): Buffer {
  const path = entry.type === "directory" && !entry.path.endsWith("/") ? `${entry.path}/` : entry.path;
  const records: [string, Buffer][] = [...entry.xattrs].map(([key, value]) => [`SCHILY.xattr.${key}`, value]);
  const split = splitName(path);
  if (split === undefined) records.push(["path", toBytes(path)]);
  if (entry.link.length > 100) records.push(["linkpath", toBytes(entry.link)]);
  if (entry.size > long) records.push(["size", Buffer.from(String(entry.size))]);
  if (entry.uid > short) records.push(["uid", Buffer.from(String(entry.uid))]);
  if (entry.gid > short) records.push(["gid", Buffer.from(String(entry.gid))]);
  const { seconds } = entry.mtime;
  if (seconds < 0 || seconds > long) records.push(["mtime", Buffer.from(String(seconds))]);
  const header = ustar(entry, split ?? { name: path.slice(0, 100), prefix: "" });
  if (records.length === 0) return header;

  records.sort(([a], [b]) => (a < b ? -1 : 1));
  const body = Buffer.concat(records.map(([key, value]) => encodePaxRecord(key, value)));
  const name = `PaxHeaders/${path.split("/").filter(Boolean).at(-1) ?? "."}`.slice(0, 100);
  const pax: TarEntry = {
    ...entry,
    type: "file",
    path: name,
    link: "",
    size: body.length,
    mode: 0o644,
    uid: 0,
    gid: 0,
  };
  return Buffer.concat([ustar(pax, { name, prefix: "" }, "x"), body, tarPadding(body.length), header]);
}

/** ustar keeps up to 100 bytes of name and, before a slash, up to 155 of prefix. */
function splitName(path: ByteString): { name: ByteString; prefix: ByteString } | undefined {
  if (path.length <= 100) return { name: path, prefix: "" };
  const slash = path.indexOf("/", path.length - 101);
  if (slash < 1 || slash > 155 || slash === path.length - 1) return undefined;
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}

function ustar(
  entry: TarEntry,
  { name, prefix }: { name: ByteString; prefix: ByteString },
  typeflag = typeflags[entry.type],
): Buffer {
  const block = Buffer.alloc(blockSize);
  const octal = (value: number, start: number, digits: number, limit: number) =>
    block.write((value < 0 || value > limit ? 0 : value).toString(8).padStart(digits, "0"), start, "latin1");
  block.write(name, 0, 100, "latin1");
  octal(entry.mode, 100, 7, short);
  octal(entry.uid, 108, 7, short);
  octal(entry.gid, 116, 7, short);
  octal(entry.size, 124, 11, long);
  octal(entry.mtime.seconds, 136, 11, long);
  block.write("        ", 148, "latin1");
  block.write(typeflag, 156, "latin1");
  block.write(entry.link.slice(0, 100), 157, 100, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  octal(entry.major, 329, 7, short);
  octal(entry.minor, 337, 7, short);
  block.write(prefix, 345, 155, "latin1");
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
