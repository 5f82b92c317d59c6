import { BerthError } from "../../base/errors.ts";
import { type PaxRecords, parsePaxNumber } from "./pax.ts";
import { blockSize, octalOrBinary } from "./tar-header.ts";

/** A piece of a sparse file that is stored; between pieces are holes. */
export interface SparsePiece {
  offset: number;
  length: number;
}

export interface SparseMap {
  pieces: SparsePiece[];
  /** Size of the file with its holes. */
  size: number;
}

/** More pieces than this in one file is no use of sparseness but an attack on memory. */
const pieceLimit = 1_000_000;

const malformed = (why: string) => new BerthError("corrupt", `read a sparse tar member: ${why}`);

/** Pieces in an old GNU header or one of its extension blocks (GNU tar manual, "Old GNU Format"); `more` says that an extension block follows. */
export function decodeGnuPieces(block: Buffer, kind: "header" | "extension"): { pieces: SparsePiece[]; more: boolean } {
  const [start, count, moreAt] = kind === "header" ? [386, 4, 482] : [0, 21, 504];
  const pieces: SparsePiece[] = [];
  for (let at = start; at < start + count * 24 && block[at] !== 0; at += 24) {
    pieces.push({ offset: octalOrBinary(block, at, 12), length: octalOrBinary(block, at + 12, 12) });
  }
  return { pieces, more: block[moreAt] !== 0 };
}

export const gnuRealSize = (block: Buffer): number => octalOrBinary(block, 483, 12);

/** PAX formats 0.0 (repeated offset and numbytes records) and 0.1 (one map record). Undefined when the member is not sparse that way. */
export function paxPieces(records: PaxRecords, repeated: number[]): SparsePiece[] | undefined {
  const map = records.get("GNU.sparse.map");
  if (map !== undefined) return pairs(map.toString("latin1").split(",").filter(Boolean).map(count));
  return records.has("GNU.sparse.numblocks") || repeated.length > 0 ? pairs(repeated) : undefined;
}

export const isPaxSparse1 = (records: PaxRecords): boolean =>
  records.get("GNU.sparse.major")?.toString("latin1") === "1";

export function paxRealSize(records: PaxRecords): number | undefined {
  const value = records.get("GNU.sparse.realsize") ?? records.get("GNU.sparse.size");
  return value === undefined ? undefined : parsePaxNumber("GNU.sparse.realsize", value);
}

/** PAX format 1.0 keeps the map in front of the data: decimal numbers, one a line, padded to whole blocks. Fed block by block; returns the map when it is complete. */
export class SparseMapReader {
  #text = "";
  #numbers: number[] = [];

  push(block: Buffer): SparsePiece[] | undefined {
    this.#text += block.toString("latin1");
    for (let newline = this.#text.indexOf("\n"); newline >= 0; newline = this.#text.indexOf("\n")) {
      this.#numbers.push(count(this.#text.slice(0, newline)));
      this.#text = this.#text.slice(newline + 1);
      const pieces = this.#numbers[0]!;
      if (pieces > pieceLimit) throw malformed(`${pieces} pieces`);
      if (this.#numbers.length === 1 + 2 * pieces) return pairs(this.#numbers.slice(1));
    }
    if (this.#text.length > blockSize) throw malformed("its map holds something that is no number");
    return undefined;
  }
}

/** Throws unless the pieces are in order, within the file, and as long together as what is stored. */
export function checkSparse(map: SparseMap, stored: number): void {
  let end = 0;
  let sum = 0;
  if (map.pieces.length > pieceLimit) throw malformed(`${map.pieces.length} pieces`);
  for (const { offset, length } of map.pieces) {
    if (offset < end || offset + length > map.size) throw malformed("its pieces overlap or pass its end");
    end = offset + length;
    sum += length;
  }
  if (sum !== stored) throw malformed(`its pieces have ${sum} bytes, ${stored} are stored`);
}

function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw malformed(`"${text.slice(0, 20)}" is no number`);
  return Number(text);
}

function pairs(numbers: number[]): SparsePiece[] {
  if (numbers.length % 2 !== 0) throw malformed("its map has an odd count of numbers");
  const pieces: SparsePiece[] = [];
  for (let at = 0; at < numbers.length; at += 2) pieces.push({ offset: numbers[at]!, length: numbers[at + 1]! });
  return pieces;
}
