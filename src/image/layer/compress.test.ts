import { randomFillSync } from "node:crypto";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { compress } from "./compress.ts";
import { decompress } from "./decompress.ts";

async function* chunks(data: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

async function all(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

/** Half noise, half text, and longer than several pieces. */
const sample = Buffer.concat([randomFillSync(Buffer.alloc(900_000)), Buffer.alloc(1_300_000, "layer of text ")]);

test("gzip gives the same bytes however the input comes, and gunzip reads them", async () => {
  const one = await all(compress(chunks(sample, sample.length), "gzip"));
  const other = await all(compress(chunks(sample, 12_345), "gzip"));
  expect(one.equals(other)).toBe(true);
  expect(gunzipSync(one).equals(sample)).toBe(true);
});

test.each([0, 1, 512 << 10, 1 << 20])("gzip of %i bytes is whole", async length => {
  const data = Buffer.alloc(length, "a");
  expect(gunzipSync(await all(compress(chunks(data, 4096), "gzip"))).equals(data)).toBe(true);
});

test("zstd is deterministic and read by its magic number", async () => {
  const one = await all(compress(chunks(sample, 100_000), "zstd"));
  expect(zstdDecompressSync(one).equals(sample)).toBe(true);
  expect((await all(decompress(chunks(one, 100_000)))).equals(sample)).toBe(true);
  const small = await all(compress(chunks(Buffer.from("a few bytes"), 100), "zstd"));
  expect((await all(decompress(chunks(small, 1)))).toString()).toBe("a few bytes");
});

test.each(["gzip", "zstd"] as const)("a %s stream that is cut short or damaged is corrupt", async compression => {
  const data = await all(compress(chunks(sample, 100_000), compression));
  const damaged = Buffer.from(data);
  damaged.fill(0xff, 600_000, 600_100);
  for (const bad of [data.subarray(0, data.length / 2), damaged]) {
    await expect(all(decompress(chunks(bad, 50_000)))).rejects.toMatchObject({ code: "corrupt" });
  }
});

test("a failure of the source is told as it is, not as damage", async () => {
  async function* failing(): AsyncGenerator<Buffer> {
    yield (await all(compress(chunks(sample, 100_000), "gzip"))).subarray(0, 100_000);
    throw new Error("connection reset");
  }
  await expect(all(decompress(failing()))).rejects.toThrow("connection reset");
});
