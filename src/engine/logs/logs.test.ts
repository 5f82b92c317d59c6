import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { LogLineReader, parseLogLine } from "./log-line.ts";
import { logLimits } from "./log-options.ts";
import { positionOfTail } from "./log-tail.ts";
import { readLog } from "./read-log.ts";
import { rotateLog } from "./rotate-log.ts";

let path: string;
let ended: boolean;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "berth-logs-")), "container.log");
  ended = false;
});
afterEach(() => rmSync(join(path, ".."), { recursive: true, force: true }));

const line = (text: string, tag = "F", stream = "stdout") =>
  `2024-05-06T07:08:09.123456789+00:00 ${stream} ${tag} ${text}\n`;
const source = () => ({ clock: systemClock, path, watchState: () => undefined, ended: () => ended });

async function text(options: Parameters<typeof readLog>[1]): Promise<string> {
  let all = "";
  for await (const { data } of readLog(source(), options)) all += data.toString();
  return all;
}

test("a line gives its stream, its time and the exact bytes, with a newline only where there was one", () => {
  expect(parseLogLine(Buffer.from(line("a b").trimEnd()))).toEqual({
    stream: "stdout",
    time: "2024-05-06T07:08:09.123456789Z",
    data: Buffer.from("a b\n"),
  });
  expect(parseLogLine(Buffer.from("t stderr P part"))?.data.toString()).toBe("part");
  expect(parseLogLine(Buffer.from("nonsense"))).toBeUndefined();
});

test("lines are found whatever the chunks, and a line cut off by a kill spoils nothing after it", () => {
  const bytes = Buffer.from(line("one") + line("two") + line("three"));
  for (const size of [1, 7, 100]) {
    const reader = new LogLineReader();
    const found: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      for (const { data } of reader.take(bytes.subarray(at, at + size))) found.push(data.toString());
    }
    expect(found).toEqual(["one\n", "two\n", "three\n"]);
  }
  const reader = new LogLineReader();
  expect([...reader.take(Buffer.from("2024 stdout F cut"))]).toEqual([]);
  expect([...reader.take(Buffer.from(line("whole")), true)].map(({ data }) => data.toString())).toEqual(["whole\n"]);
});

test("the tail is found from the end, over rotated files, for the streams asked for", async () => {
  writeFileSync(`${path}.2`, line("1") + line("2"));
  writeFileSync(`${path}.1`, line("3") + line("e", "F", "stderr"));
  writeFileSync(path, line("4") + line("5") + line("open", "P"));
  expect(await text({})).toBe("1\n2\n3\ne\n4\n5\nopen");
  expect(await text({ tail: 1 })).toBe("5\nopen");
  expect(await text({ tail: 3, stderr: false })).toBe("3\n4\n5\nopen");
  expect(await text({ tail: 100 })).toBe("1\n2\n3\ne\n4\n5\nopen");
});

test("a tail of a long log reads only its end", () => {
  writeFileSync(path, Array.from({ length: 20_000 }, (_, n) => line(String(n))).join(""));
  const { offset } = positionOfTail(path, 1, { stdout: true, stderr: true });
  expect(readFileSync(path, "latin1").slice(offset)).toBe(line("19999"));
});

test("a slow follower loses nothing although the files it reads are rotated away and deleted", async () => {
  writeFileSync(path, line("first"));
  const records = readLog(source(), { follow: true });
  expect((await records.next()).value?.data.toString()).toBe("first\n");
  const limits = { maxSize_bytes: 1, maxFiles: 2 };
  for (let round = 0; round < 5; round++) {
    appendFileSync(path, line(`round ${round}`));
    await rotateLog(path, limits, async () => writeFileSync(path, ""));
    // The kernel's notice reaches the follower at its next turn.
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  appendFileSync(path, line("last"));
  const seen: string[] = [];
  while (seen.at(-1) !== "last\n") seen.push((await records.next()).value!.data.toString());
  expect(seen).toEqual(["round 0\n", "round 1\n", "round 2\n", "round 3\n", "round 4\n", "last\n"]);
  ended = true;
  await records.return(undefined);
});

test("rotation keeps as many files as asked", async () => {
  for (const text of ["a", "b", "c", "d"]) {
    writeFileSync(path, line(text));
    await rotateLog(path, { maxSize_bytes: 1, maxFiles: 3 }, async () => undefined);
  }
  expect(readFileSync(`${path}.1`, "utf8")).toBe(line("d"));
  expect(readFileSync(`${path}.2`, "utf8")).toBe(line("c"));
  expect(() => readFileSync(`${path}.3`)).toThrow();
  renameSync(`${path}.1`, path);
  expect(await rotateLog(path, { maxSize_bytes: 1e6, maxFiles: 3 }, async () => undefined)).toBe(false);
});

test("rotation is on by default, and its options are checked", () => {
  expect(logLimits({ driver: "", options: {} })).toEqual({ maxSize_bytes: 10 * 1024 ** 2, maxFiles: 3 });
  expect(logLimits({ driver: "json-file", options: { "max-size": "500k", "max-file": "5" } })).toEqual({
    maxSize_bytes: 512_000,
    maxFiles: 5,
  });
  expect(logLimits({ driver: "none", options: {} })).toBeUndefined();
  expect(() => logLimits({ driver: "", options: { "max-size": "big" } })).toThrow(/max-size/);
  expect(() => logLimits({ driver: "", options: { "max-file": "0" } })).toThrow(/max-file/);
});
