import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { ContentStore } from "./content.ts";

const digestOf = (data: Buffer) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

async function* chunks(...parts: (Buffer | Error)[]): AsyncGenerator<Buffer> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield part;
  }
}

async function collect(source: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** What every ContentStore does. `open` gives a store over the same data each time, as further processes would have it. */
export function contentStoreSuite(name: string, make: () => Promise<{ open: () => ContentStore }>): void {
  describe(`${name} as a content store`, () => {
    test("gives back what was put, whole and in ranges", async () => {
      const store = (await make()).open();
      const data = randomBytes(300_000);
      const { digest, size } = await store.put(data);
      expect({ digest, size }).toEqual({ digest: digestOf(data), size: data.length });
      expect(data.equals(await store.read(digest))).toBe(true);
      expect(await collect(await store.open(digest, { range: { start: 10, end: 20 } }))).toEqual(data.subarray(10, 20));
      expect(await collect(await store.open(digest, { range: { start: 299_990 } }))).toEqual(data.subarray(299_990));
      expect(await collect(await store.open(digest, { range: { start: 300_000 } }))).toEqual(Buffer.alloc(0));
    });

    test("knows the empty blob", async () => {
      const store = (await make()).open();
      const { digest } = await store.put(Buffer.alloc(0));
      expect(await collect(await store.open(digest))).toHaveLength(0);
    });

    test("says which blob is missing, and refuses what is no digest", async () => {
      const store = (await make()).open();
      const digest = digestOf(Buffer.from("none"));
      expect(await store.info(digest)).toBeUndefined();
      await expect(store.open(digest)).rejects.toMatchObject({ code: "not_found" });
      await expect(store.info("sha256:../../etc/passwd")).rejects.toMatchObject({ code: "invalid" });
    });

    test("does not read a large blob into memory", async () => {
      const store = (await make()).open();
      const { digest } = await store.put(randomBytes(2000));
      await expect(store.read(digest, { limit_bytes: 1999 })).rejects.toMatchObject({ code: "exhausted" });
    });

    test("shows nothing before commit, and drops bytes that do not fit their digest", async () => {
      const store = (await make()).open();
      const data = randomBytes(1000);
      const ingest = await store.ingest("corrupt");
      await ingest.append(chunks(data.subarray(0, 999), Buffer.from("x")));
      expect(await store.info(digestOf(data))).toBeUndefined();
      await expect(ingest.commit({ digest: digestOf(data) })).rejects.toMatchObject({ code: "corrupt" });
      await ingest[Symbol.asyncDispose]();
      await using again = await store.ingest("corrupt");
      expect(again.offset).toBe(0);
    });

    test("refuses a blob of another size than declared", async () => {
      const store = (await make()).open();
      const data = randomBytes(1000);
      await using ingest = await store.ingest("size");
      await ingest.append(Readable.from([data]));
      await expect(ingest.commit({ digest: digestOf(data), size: 999 })).rejects.toMatchObject({ code: "corrupt" });
      expect(await store.info(digestOf(data))).toBeUndefined();
    });

    test("resumes by ref where the source broke off, also in another process", async () => {
      const { open } = await make();
      const data = randomBytes(3_000_000);
      {
        await using first = await open().ingest("layer");
        await expect(first.append(chunks(data.subarray(0, 1_500_000), new Error("reset")))).rejects.toThrow("reset");
      }
      await using second = await open().ingest("layer");
      expect(second.offset).toBe(1_500_000);
      await second.append(chunks(data.subarray(1_500_000)));
      expect(await second.digest()).toBe(digestOf(data));
      await second.commit({ digest: digestOf(data), size: data.length });
      expect(data.equals(await open().read(digestOf(data)))).toBe(true);
    });

    test("keeps nothing of an ingest without ref", async () => {
      const { open } = await make();
      {
        await using ingest = await open().ingest("");
        await ingest.append(chunks(randomBytes(100)));
      }
      expect(await open().collectIngests(-1000)).toBe(0);
    });

    test("lets one writer at a time work on a ref", async () => {
      const { open } = await make();
      const first = await open().ingest("shared");
      await first.append(chunks(Buffer.from("first ")));
      const order: string[] = [];
      const second = open()
        .ingest("shared")
        .then(ingest => {
          order.push("second");
          return ingest;
        });
      await first.append(chunks(Buffer.from("writer")));
      order.push("first");
      await first[Symbol.asyncDispose]();
      await using waited = await second;
      expect(order).toEqual(["first", "second"]);
      expect(waited.offset).toBe("first writer".length);
    });

    test("stops waiting for a ref when cancelled", async () => {
      const { open } = await make();
      await using _first = await open().ingest("held");
      const controller = new AbortController();
      const waiting = open().ingest("held", { signal: controller.signal });
      controller.abort(new Error("enough"));
      await expect(waiting).rejects.toThrow("enough");
    });

    test("stores the same bytes once, whoever commits", async () => {
      const { open } = await make();
      const data = randomBytes(100);
      for (const ref of ["a", "b"]) {
        await using ingest = await open().ingest(ref);
        await ingest.append(chunks(data));
        await ingest.commit({ digest: digestOf(data) });
      }
      const listed = [];
      for await (const { digest } of open().list()) listed.push(digest);
      expect(listed).toEqual([digestOf(data)]);
    });

    test("deletes, twice without complaint", async () => {
      const store = (await make()).open();
      const { digest } = await store.put(Buffer.from("x"));
      await store.delete(digest);
      await store.delete(digest);
      expect(await store.info(digest)).toBeUndefined();
    });

    test("collects old unfinished ingests, but none that is held", async () => {
      const { open } = await make();
      const held = await open().ingest("held");
      await held.append(chunks(Buffer.alloc(50)));
      {
        await using left = await open().ingest("left");
        await left.append(chunks(Buffer.alloc(70)));
      }
      expect(await open().collectIngests(3_600_000)).toBe(0);
      expect(await open().collectIngests(-60_000)).toBe(70);
      await held[Symbol.asyncDispose]();
    });
  });
}
