import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { call, download, items, progress, session, upload } from "../api/methods.ts";
import { createApiServer } from "../api/server.ts";
import { BerthError } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import type { Session } from "../ports/engine.ts";
import { createClient } from "./client.ts";
import { HttpTransport } from "./transport.ts";

const table = {
  probe: {
    add: call(2),
    fail: call(0),
    count: items(1),
    work: progress(0),
    export: download(1, "tar"),
    import: upload(1, 2),
    talk: session(0),
    hang: call(0),
  },
};

interface Probe {
  probe: {
    add(a: number, b: number): Promise<number>;
    fail(): Promise<void>;
    count(
      to: number,
      options?: { signal?: AbortSignal; failAt?: number },
    ): AsyncIterable<{ number: number; bytes: Buffer }>;
    work(options: { onProgress: (value: string) => void }): Promise<string>;
    export(name: string): Promise<{ name: string; tar: Readable }>;
    import(name: string, body: Readable): Promise<string>;
    talk(): Promise<Session>;
    hang(options: { signal: AbortSignal }): Promise<void>;
  };
}

let aborted: Promise<void>;
let onAborted: () => void;

const backend: Probe["probe"] = {
  add: async (a, b) => a + b,
  fail: async () => {
    throw new BerthError("in_use", "removing image redis: a container uses it", { hint: "remove the container first" });
  },
  async *count(to, options) {
    for (let number = 0; number < to; number++) {
      if (number === options?.failAt) throw new BerthError("corrupt", "counting broke");
      yield { number, bytes: Buffer.from([number, 255]) };
    }
  },
  work: async ({ onProgress }) => {
    onProgress("half");
    onProgress("whole");
    return "done";
  },
  export: async name => ({ name, tar: Readable.from([Buffer.from("tar of "), Buffer.from(name)]) }),
  import: async (name, body) => `${name}: ${Buffer.concat(await body.toArray()).toString()}`,
  talk: async () => echoSession(),
  hang: ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => (onAborted(), reject(signal.reason)))),
};

function echoSession(): Session {
  const queue: (Buffer | undefined)[] = [];
  let wake = () => {};
  return {
    tty: true,
    write: async data => void (queue.push(Buffer.from(data)), wake()),
    endInput: () => void (queue.push(undefined), wake()),
    output: (async function* () {
      for (;;) {
        while (queue.length === 0) await new Promise<void>(resolve => (wake = resolve));
        const data = queue.shift();
        if (data === undefined) return;
        yield { stream: "stderr" as const, data };
      }
    })(),
    async [Symbol.asyncDispose]() {},
  };
}

let dir: string;
let server: Server;
let transport: HttpTransport;
let client: Probe;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "berth-api-"));
  aborted = new Promise(resolve => (onAborted = resolve));
  server = createApiServer(table, { probe: backend }, silentLogger).listen(join(dir, "api.sock"));
  await once(server, "listening");
  transport = new HttpTransport(join(dir, "api.sock"));
  client = createClient<Probe>(table, transport);
});

afterEach(() => {
  transport[Symbol.dispose]();
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

test("a call brings its result, and an error keeps code, message and hint", async () => {
  expect(await client.probe.add(2, 3)).toBe(5);
  await expect(client.probe.fail()).rejects.toMatchObject({
    code: "in_use",
    message: /redis/,
    hint: "remove the container first",
  });
});

test("items arrive in order with their bytes, and an error in the middle is thrown where it happened", async () => {
  const seen: number[] = [];
  for await (const item of client.probe.count(3)) {
    expect(item.bytes).toEqual(Buffer.from([item.number, 255]));
    seen.push(item.number);
  }
  expect(seen).toEqual([0, 1, 2]);
  const broken = async () => {
    for await (const item of client.probe.count(5, { failAt: 2 })) seen.push(item.number + 10);
  };
  await expect(broken()).rejects.toMatchObject({ code: "corrupt" });
  expect(seen).toEqual([0, 1, 2, 10, 11]);
});

test("progress is reported while the work goes on", async () => {
  const reports: string[] = [];
  expect(await client.probe.work({ onProgress: report => reports.push(report) })).toBe("done");
  expect(reports).toEqual(["half", "whole"]);
});

test("streams travel both ways with what belongs to them", async () => {
  const { name, tar } = await client.probe.export("web");
  expect([name, Buffer.concat(await tar.toArray()).toString()]).toEqual(["web", "tar of web"]);
  expect(await client.probe.import("db", Readable.from([Buffer.from("body")]))).toBe("db: body");
});

test("a session echoes what is written until its input ends", async () => {
  await using talk = await client.probe.talk();
  expect(talk.tty).toBe(true);
  await talk.write(Buffer.from("hello "));
  await talk.write(Buffer.alloc(200_000, "x"));
  talk.endInput();
  const chunks: Buffer[] = [];
  for await (const chunk of talk.output) chunks.push(chunk.data);
  expect(Buffer.concat(chunks).length).toBe(200_006);
});

test("a client that goes away aborts its call on the server", async () => {
  const leave = new AbortController();
  const hanging = client.probe.hang({ signal: leave.signal });
  const started = client.probe.add(1, 1);
  await started;
  leave.abort();
  await expect(hanging).rejects.toMatchObject({ code: "cancelled" });
  await aborted;
});

test("an unknown call says what to look at, and a server that is not there says that containers keep running", async () => {
  const stranger = createClient<{ probe: { nothing(): Promise<void> } }>({ probe: { nothing: call(0) } }, transport);
  await expect(stranger.probe.nothing()).rejects.toMatchObject({ code: "not_found", hint: /berth version/ });
  using lost = new HttpTransport(join(dir, "none.sock"));
  await expect(createClient<Probe>(table, lost).probe.add(1, 1)).rejects.toMatchObject({
    code: "unavailable",
    hint: /keep running/,
  });
});
