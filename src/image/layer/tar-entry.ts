/**
 * Names in archives are bytes, not text. Here they are "byte strings": one character (U+0000 to U+00FF) for each byte, so that they work as map keys
 * and compare in byte order, and nothing is lost that is not UTF-8.
 */
export type ByteString = string;

export const toBytes = (name: ByteString): Buffer => Buffer.from(name, "latin1");
export const fromBytes = (bytes: Buffer): ByteString => bytes.toString("latin1");
/** For messages and API answers. */
export const toText = (name: ByteString): string => Buffer.from(name, "latin1").toString("utf8");
export const fromText = (text: string): ByteString => Buffer.from(text, "utf8").toString("latin1");

export type TarEntryType = "file" | "hardlink" | "symlink" | "char" | "block" | "directory" | "fifo";

export interface TarTime {
  /** Since the epoch; negative before it. */
  seconds: number;
  nanoseconds: number;
}

/** One member of an archive, with PAX records and GNU long names already applied. */
export interface TarEntry {
  type: TarEntryType;
  path: ByteString;
  /** Of a symlink: its text. Of a hard link: the path of the member it links to. Else "". */
  link: ByteString;
  /** The lower 12 bits: permissions, setuid, setgid, sticky. */
  mode: number;
  uid: number;
  gid: number;
  /** Size of the file as it is seen, holes included; 0 for all but files. */
  size: number;
  mtime: TarTime;
  major: number;
  minor: number;
  xattrs: Map<string, Buffer>;
}

/** Receives what a parser finds, in order: `entry`, then for a file its `data` piece by piece, then `end`. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** `offset` is the place in the file: pieces are in order but holes are skipped. The buffer is only lent. */
  data(chunk: Buffer, offset: number): void;
  end(): void;
}
