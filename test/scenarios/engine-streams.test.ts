import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeHost, openEngine, read, type TestHost, until } from "./harness.ts";

let host: TestHost;
let containers: TestHost["engine"]["containers"];
beforeAll(async () => {
  host = await makeHost();
  containers = host.engine.containers;
});
afterAll(() => host[Symbol.asyncDispose]());

const collect = async (id: string, options: Parameters<typeof containers.logs>[1]) => {
  let text = "";
  for await (const record of containers.logs(id, options)) text += record.data.toString();
  return text;
};

describe("logs", () => {
  test("tail, since, until and the choice of streams take what was asked, in order", async () => {
    const { id } = await host.run({
      command: ["sh", "-c", "for i in 1 2 3 4 5; do echo $i; done; echo e >&2; printf end"],
    });
    expect(await collect(id, { stderr: false })).toBe("1\n2\n3\n4\n5\nend");
    expect(await collect(id, { stdout: false })).toBe("e\n");
    expect(await collect(id, { tail: 2, stderr: false })).toBe("4\n5\nend");
    expect(await collect(id, { tail: 0, stderr: false })).toBe("end");
    expect(await collect(id, { since_ms: Date.now() + 1000 })).toBe("");
    expect(await collect(id, { until_ms: 1000 })).toBe("");
    expect((await collect(id, { since_ms: Date.now() - 60_000 })).length).toBe(15);
  });

  test("following gives what comes, and ends with the container", async () => {
    const id = await host.start({ command: ["sh", "-c", "echo one; until [ -e /go ]; do sleep 0.01; done; echo two"] });
    const seen: string[] = [];
    const following = (async () => {
      for await (const { data } of containers.logs(id, { follow: true })) seen.push(data.toString());
    })();
    await until(() => seen.length === 1);
    await host.exec(id, "touch", "/go");
    await following;
    expect(seen).toEqual(["one\n", "two\n"]);
  });

  test("the log is rotated without losing a byte, and old files go", async () => {
    const lines = 2000;
    const id = await host.create({
      command: [
        "sh",
        "-c",
        `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i ${"x".repeat(40)}"; done; sleep 1000`,
      ],
      log: { driver: "json-file", options: { "max-size": "50k", "max-file": "10" } },
    });
    const stop = new AbortController();
    const ready = Promise.withResolvers<void>();
    const supervising = host.engine.supervise({ signal: stop.signal, onReady: ready.resolve });
    await ready.promise;
    await containers.start(id);
    let followed = 0;
    for await (const _ of containers.logs(id, { follow: true })) if (++followed === lines) break;
    await until(async () => (await host.logs(id)).split("\n").length === lines + 1);
    expect((await collect(id, { tail: 3 })).split(" ")[1]).toBe(String(lines - 2));
    stop.abort();
    await supervising;
    await containers.remove(id, { force: true });
  });

  test("a reader that stalls does not hold up the container", async () => {
    const id = await host.start({
      command: ["sh", "-c", "dd if=/dev/zero bs=1k count=3000 2>/dev/null | tr '\\0' x; echo; touch /done; sleep 1000"],
    });
    const iterator = containers.logs(id, { follow: true })[Symbol.asyncIterator]();
    await iterator.next();
    const session = await containers.attach(id, { stdout: true, stderr: true });
    const attached = session.output[Symbol.asyncIterator]();
    void attached;
    await until(async () => (await host.exec(id, "ls", "/done")).exitCode === 0);
    await iterator.return?.();
    await session[Symbol.asyncDispose]();
    await containers.remove(id, { force: true });
  });

  test("the log driver none keeps nothing, and says so", async () => {
    const id = await host.create({ command: ["echo", "gone"], log: { driver: "none", options: {} } });
    const session = await containers.attach(id, { stdout: true });
    await containers.start(id);
    expect(await read(session.output)).toBe("gone\n");
    await session[Symbol.asyncDispose]();
    await containers.wait(id);
    await expect(host.logs(id)).rejects.toMatchObject({ code: "unsupported" });
  });
});

describe("attach", () => {
  test("a session opened before the start sees everything, and its input reaches the program", async () => {
    const id = await host.create({ command: ["cat"], openStdin: true, stdinOnce: true });
    await using session = await containers.attach(id, { stdin: true, stdout: true, stderr: true });
    await containers.start(id);
    await session.write(Buffer.from("hello\n"));
    await session.write(Buffer.from("world\n"));
    session.endInput();
    expect(await read(session.output)).toBe("hello\nworld\n");
    expect((await containers.wait(id)).exitCode).toBe(0);
  });

  test("large input and output pass whole", async () => {
    const id = await host.create({ command: ["sh", "-c", "md5sum"], openStdin: true, stdinOnce: true });
    await using session = await containers.attach(id, { stdin: true, stdout: true });
    await containers.start(id);
    for (let i = 0; i < 32; i++) await session.write(Buffer.alloc(64 * 1024, "a"));
    session.endInput();
    const digest = createHash("md5")
      .update(Buffer.alloc(32 * 64 * 1024, "a"))
      .digest("hex");
    expect(await read(session.output)).toBe(`${digest}  -\n`);
  });

  test("a terminal echoes, has its size, and survives that its client detaches", async () => {
    const id = await host.create({ command: ["sh"], openStdin: true, tty: true });
    const session = await containers.attach(id, { stdin: true, stdout: true });
    await containers.start(id);
    await containers.resize(id, 33, 99);
    let text = "";
    const reading = (async () => {
      for await (const { data } of session.output) text += data.toString();
    })();
    await session.write(Buffer.from("stty size; echo $((40+2))\n"));
    await until(() => text.includes("33 99") && text.includes("\r\n42\r\n"));
    await session[Symbol.asyncDispose]();
    await reading;
    expect((await containers.inspect(id)).state.status).toBe("running");
    await using again = await containers.attach(id, { stdin: true, stdout: true, logs: true });
    await again.write(Buffer.from("exit 3\n"));
    expect((await containers.wait(id)).exitCode).toBe(3);
    expect(await read(again.output)).toContain("42");
  });

  test("attaching from another process works while it runs", async () => {
    const id = await host.start({ command: ["sh", "-c", "read line; echo got $line"], openStdin: true });
    const other = openEngine(host.settings).engine.containers;
    await using session = await other.attach(id, { stdin: true, stdout: true });
    await session.write(Buffer.from("mail\n"));
    expect(await read(session.output)).toBe("got mail\n");
  });
});

describe("exec", () => {
  test("runs further programs with their own output, input, user, directory, environment and exit code", async () => {
    const id = await host.start({ env: ["COLOUR=red"] });
    expect(await host.exec(id, "sh", "-c", "echo $COLOUR; exit 6")).toEqual({ exitCode: 6, output: "red\n" });
    const execId = await containers.createExec(id, {
      args: ["sh", "-c", "id -u; pwd; echo $COLOUR; cat"],
      user: "web",
      workingDir: "/tmp",
      env: ["COLOUR=blue"],
      stdin: true,
    });
    expect(await containers.inspectExec(execId)).toMatchObject({ running: false, exitCode: undefined });
    await using session = (await containers.startExec(execId))!;
    await session.write(Buffer.from("typed"));
    session.endInput();
    expect(await read(session.output)).toBe("1000\n/tmp\nblue\ntyped");
    expect(await containers.inspectExec(execId)).toMatchObject({ running: false, exitCode: 0 });
    await expect(containers.startExec(execId)).rejects.toMatchObject({ code: "conflict" });
    await containers.remove(id, { force: true });
    await expect(containers.inspectExec(execId)).rejects.toMatchObject({ code: "not_found" });
  });

  test("a detached one goes on by itself, and its exit code is found", async () => {
    const id = await host.start();
    const execId = await containers.createExec(id, {
      args: ["sh", "-c", "until [ -e /go ]; do sleep 0.01; done; exit 5"],
    });
    expect(await containers.startExec(execId, { detach: true })).toBeUndefined();
    expect(await containers.inspectExec(execId)).toMatchObject({ running: true });
    await host.exec(id, "touch", "/go");
    expect(await containers.waitExec(execId)).toBe(5);
    await containers.remove(id, { force: true });
  });

  test("with a terminal of its own", async () => {
    const id = await host.start();
    const args = [
      "sh",
      "-c",
      "tty; until [ \"$(stty size)\" = '40 120' ]; do sleep 0.01; done; stty size; read x; exit $x",
    ];
    const execId = await containers.createExec(id, { args, tty: true, stdin: true });
    await using session = (await containers.startExec(execId, { tty: true, rows: 20, columns: 70 }))!;
    // conmon loses a size that follows another one closely, so a client's further ones count.
    const resizing = setInterval(() => void containers.resizeExec(execId, 40, 120).catch(() => undefined), 50);
    await session.write(Buffer.from("4\n"));
    const text = await read(session.output);
    clearInterval(resizing);
    expect(text).toContain("/dev/pts/");
    expect(text).toContain("40 120");
    expect(await containers.waitExec(execId)).toBe(4);
    await containers.remove(id, { force: true });
  });

  test("a program that is not there is 127, a stopped container a conflict", async () => {
    const id = await host.start();
    const execId = await containers.createExec(id, { args: ["no-such-program"] });
    await expect(containers.startExec(execId)).rejects.toMatchObject({ details: { exitCode: 127 } });
    await containers.kill(id, "KILL");
    await expect(containers.createExec(id, { args: ["true"] })).rejects.toMatchObject({ code: "conflict" });
  });
});
