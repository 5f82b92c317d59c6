import { BerthError } from "../../base/errors.ts";
import { type PaxRecords, parsePax, parsePaxNumber, parsePaxTime } from "./pax.ts";
import { fromBytes, type TarEntry, type TarEntryType, type TarSink, toText } from "./tar-entry.ts";
import { blockSize, decodeHeader, type TarHeader } from "./tar-header.ts";
import {
  checkSparse,
  decodeGnuPieces,
  gnuRealSize,
  isPaxSparse1,
  paxPieces,
  paxRealSize,
  type SparseMap,
  SparseMapReader,
  type SparsePiece,
} from "./tar-sparse.ts";

/** Long names, attributes and sparse maps together; no honest member comes near it. */
const metadataLimit_bytes = 8 << 20;

const types: Record<string, TarEntryType> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

/** What the members before the next real one say about it. */
interface Preamble {
  pax: PaxRecords;
  /** Sparse offsets and lengths of PAX format 0.0, in order. */
  sparse: number[];
  longName?: Buffer;
  longLink?: Buffer;
}

type State =
  | { at: "header" }
  /** Collecting the body of an x, g, L or K member. */
  | { at: "meta"; typeflag: string; size: number; parts: Buffer[]; left: number }
  | { at: "gnu-sparse"; header: TarHeader; map: SparseMap }
  | { at: "pax-sparse"; entry: TarEntry; stored: number; reader: SparseMapReader }
  | { at: "data"; left: number; pieces: SparsePiece[]; piece: number; within: number; padding: number }
  | { at: "skip"; left: number }
  | { at: "end" };

/**
 * Reads a tar stream as it comes, in pieces of any size, and hands its members to a sink: ustar, old GNU and PAX formats with long names, big numbers, sparse
 * files and extended attributes. Throws `corrupt` for what is no tar, `invalid` for members that it does not know. It judges no names: that is the sink's part.
 */
export class TarParser {
  readonly #sink: TarSink;
  #state: State = { at: "header" };
  #global: PaxRecords = new Map();
  #next: Preamble = { pax: new Map(), sparse: [] };
  /** Start of a block whose rest is still to come. */
  #partial = Buffer.alloc(blockSize);
  #partialLength = 0;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const state = this.#state;
      if (state.at === "end") return;
      if (state.at === "data") at += this.#data(state, chunk, at);
      else if (state.at === "skip") at += this.#skip(state, chunk.length - at);
      else if (state.at === "meta") at += this.#meta(state, chunk, at);
      else {
        const block = this.#takeBlock(chunk, at);
        at += block.taken;
        if (block.whole !== undefined) this.#block(state, block.whole);
      }
    }
  }

  /** After the last piece. An archive may end without its two blocks of zeros, but not inside a member. */
  finish(): void {
    const { at } = this.#state;
    if (at !== "end" && !(at === "header" && this.#partialLength === 0)) {
      throw new BerthError("corrupt", "read a tar archive: it ends in the middle of a member", {
        hint: "it was cut short; fetch or make it again",
      });
    }
  }

  #takeBlock(chunk: Buffer, at: number): { taken: number; whole?: Buffer } {
    if (this.#partialLength === 0 && chunk.length - at >= blockSize) {
      return { taken: blockSize, whole: chunk.subarray(at, at + blockSize) };
    }
    const taken = Math.min(blockSize - this.#partialLength, chunk.length - at);
    chunk.copy(this.#partial, this.#partialLength, at, at + taken);
    this.#partialLength += taken;
    if (this.#partialLength < blockSize) return { taken };
    this.#partialLength = 0;
    return { taken, whole: this.#partial };
  }

  #block(state: State, block: Buffer): void {
    if (state.at === "header") this.#header(block);
    else if (state.at === "gnu-sparse") {
      const { pieces, more } = decodeGnuPieces(block, "extension");
      state.map.pieces.push(...pieces);
      if (!more) this.#begin(this.#entryOf(state.header, state.map.size), state.header.size, state.map);
    } else if (state.at === "pax-sparse") {
      const pieces = state.reader.push(block);
      state.stored -= blockSize;
      if (state.stored < 0) throw new BerthError("corrupt", "read a sparse tar member: it is shorter than its map");
      if (pieces !== undefined) this.#begin(state.entry, state.stored, { pieces, size: state.entry.size });
    }
  }

  #header(block: Buffer): void {
    const header = decodeHeader(block);
    if (header === undefined) {
      this.#state = { at: "end" };
      return;
    }
    if (header.size < 0) throw new BerthError("corrupt", "read a tar header: the size is negative");
    if ("xgLK".includes(header.typeflag)) {
      if (header.size > metadataLimit_bytes) {
        throw new BerthError("invalid", `read a tar archive: ${header.size} bytes of metadata for one member`);
      }
      this.#state = { at: "meta", typeflag: header.typeflag, size: header.size, parts: [], left: padded(header.size) };
      if (header.size === 0) this.#metaDone("", Buffer.alloc(0));
      return;
    }
    const stored = this.#next.pax.get("size") ?? this.#global.get("size");
    if (stored !== undefined) header.size = parsePaxNumber("size", stored);
    // A volume label is no member; a GNU dump directory (D) is a directory with a listing as its data.
    if (header.typeflag === "V") this.#begin(undefined, header.size);
    else if (header.typeflag === "S") {
      const { pieces, more } = decodeGnuPieces(block, "header");
      const map = { pieces, size: gnuRealSize(block) };
      if (more) this.#state = { at: "gnu-sparse", header, map };
      else this.#begin(this.#entryOf(header, map.size), header.size, map);
    } else this.#member(header);
  }

  #member(header: TarHeader): void {
    const { pax, sparse } = this.#next;
    const entry = this.#entryOf(header, header.size);
    if (entry.type !== "file") {
      // Sizes of links and nodes are about what they point to; only D members really carry bytes.
      this.#begin(entry, header.typeflag === "D" ? header.size : 0);
    } else if (isPaxSparse1(pax)) {
      entry.size = paxRealSize(pax) ?? 0;
      this.#state = { at: "pax-sparse", entry, stored: header.size, reader: new SparseMapReader() };
    } else {
      const pieces = paxPieces(pax, sparse);
      if (pieces !== undefined) entry.size = paxRealSize(pax) ?? header.size;
      this.#begin(entry, header.size, pieces && { pieces, size: entry.size });
    }
  }

  /** Hands the member over and prepares for its `stored` bytes. */
  #begin(entry: TarEntry | undefined, stored: number, sparse?: SparseMap): void {
    this.#next = { pax: new Map(), sparse: [] };
    if (entry?.type !== "file") {
      if (entry !== undefined) this.#sink.entry(entry);
      if (entry !== undefined) this.#sink.end();
      this.#state = stored > 0 ? { at: "skip", left: padded(stored) } : { at: "header" };
      return;
    }
    if (sparse !== undefined) checkSparse(sparse, stored);
    this.#sink.entry(entry);
    if (stored === 0) {
      this.#sink.end();
      this.#state = { at: "header" };
      return;
    }
    const pieces = (sparse?.pieces ?? [{ offset: 0, length: stored }]).filter(piece => piece.length > 0);
    this.#state = { at: "data", left: stored, pieces, piece: 0, within: 0, padding: padded(stored) - stored };
  }

  #data(state: Extract<State, { at: "data" }>, chunk: Buffer, at: number): number {
    const piece = state.pieces[state.piece]!;
    const length = Math.min(chunk.length - at, piece.length - state.within);
    this.#sink.data(chunk.subarray(at, at + length), piece.offset + state.within);
    state.within += length;
    state.left -= length;
    if (state.within === piece.length) {
      state.piece++;
      state.within = 0;
    }
    if (state.left === 0) {
      this.#sink.end();
      this.#state = state.padding > 0 ? { at: "skip", left: state.padding } : { at: "header" };
    }
    return length;
  }

  #skip(state: Extract<State, { at: "skip" }>, available: number): number {
    const length = Math.min(state.left, available);
    state.left -= length;
    if (state.left === 0) this.#state = { at: "header" };
    return length;
  }

  #meta(state: Extract<State, { at: "meta" }>, chunk: Buffer, at: number): number {
    const length = Math.min(state.left, chunk.length - at);
    state.parts.push(Buffer.from(chunk.subarray(at, at + length)));
    state.left -= length;
    if (state.left === 0) this.#metaDone(state.typeflag, Buffer.concat(state.parts).subarray(0, state.size));
    return length;
  }

  #metaDone(typeflag: string, body: Buffer): void {
    this.#state = { at: "header" };
    const next = this.#next;
    if (typeflag === "L") next.longName = body;
    else if (typeflag === "K") next.longLink = body;
    else if (typeflag === "g") this.#global = new Map([...this.#global, ...parsePax(body)]);
    else if (typeflag === "x") {
      next.pax = parsePax(body, (key, value) => {
        if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") next.sparse.push(parsePaxNumber(key, value));
      });
    }
  }

  #entryOf(header: TarHeader, size: number): TarEntry {
    const { pax, longName, longLink } = this.#next;
    const record = (key: string) => pax.get(key) ?? this.#global.get(key);
    const name = record("GNU.sparse.name") ?? record("path") ?? (longName && untilZero(longName));
    const linkName = record("linkpath") ?? (longLink && untilZero(longLink));
    const path = name === undefined ? header.name : fromBytes(name);
    const uid = record("uid");
    const gid = record("gid");
    const mtime = record("mtime");
    const isOldDirectory = path.endsWith("/") && (header.typeflag === "0" || header.typeflag === "\0");
    const type = header.typeflag === "D" || isOldDirectory ? "directory" : types[header.typeflag];
    if (type === undefined) {
      throw new BerthError("invalid", `read a tar archive: ${toText(path)} has the unknown type "${header.typeflag}"`);
    }
    return {
      type,
      path,
      link: type !== "symlink" && type !== "hardlink" ? "" : linkName === undefined ? header.link : fromBytes(linkName),
      mode: header.mode,
      uid: uid === undefined ? header.uid : parsePaxNumber("uid", uid),
      gid: gid === undefined ? header.gid : parsePaxNumber("gid", gid),
      size: type === "file" ? size : 0,
      mtime: mtime === undefined ? { seconds: header.mtime, nanoseconds: 0 } : parsePaxTime(mtime),
      major: header.major,
      minor: header.minor,
      xattrs: xattrsOf(pax),
    };
  }
}

const padded = (size: number): number => Math.ceil(size / blockSize) * blockSize;

function untilZero(bytes: Buffer): Buffer {
  const zero = bytes.indexOf(0);
  return zero < 0 ? bytes : bytes.subarray(0, zero);
}

const none: Map<string, Buffer> = new Map();

function xattrsOf(pax: PaxRecords): Map<string, Buffer> {
  if (pax.size === 0) return none;
  const found = new Map<string, Buffer>();
  for (const [key, value] of pax) if (key.startsWith("SCHILY.xattr.")) found.set(key.slice(13), value);
  return found;
}
