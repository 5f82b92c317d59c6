import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { cgroups, expectOutput, logged, prepareRuntimeTests, text, until, Yard } from "./runtime-yard.ts";

prepareRuntimeTests();

describe("attach", () => {
  test("gives both streams from the first byte, and takes input to its end", async () => {
    await using yard = new Yard();
    const container = await yard.create(["sh", "-c", "echo err >&2; cat; echo done"], {
      openStdin: true,
      stdinOnce: true,
    });
    await using streams = await yard.runtime.attach({ ...container, stdin: true, tty: false });
    await yard.runtime.start(container.id);
    const input = randomBytes(300_000).toString("base64");
    streams.stdin!.end(input);
    const received = { stdout: "", stderr: "" };
    for await (const { stream, data } of streams.output) received[stream] += data.toString("latin1");
    expect(received.stderr).toBe("err\n");
    expect(received.stdout === `${input}done\n`).toBe(true);
    expect((await yard.ended(container)).exitCode).toBe(0);
  });

  test("a client that leaves does not end the input of a container that keeps it open", async () => {
    await using yard = new Yard();
    const container = await yard.started(["cat"], { openStdin: true });
    for (const word of ["one", "two"]) {
      await using streams = await yard.runtime.attach({ ...container, stdin: true, tty: false });
      streams.stdin!.write(`${word}\n`);
      await expectOutput(streams.output[Symbol.asyncIterator](), word);
    }
    expect(logged(container.logPath, "stdout")).toBe("one\ntwo\n");
  });

  test("a terminal has the size that it was told, before the start and later", async () => {
    await using yard = new Yard();
    const container = await yard.create(
      ["sh", "-c", "trap 'stty size' WINCH; stty size; while :; do sleep 0.01; done"],
      {
        tty: true,
      },
    );
    await using streams = await yard.runtime.attach({ ...container, stdin: true, tty: true });
    const output = streams.output[Symbol.asyncIterator]();
    await yard.runtime.resize({ ...container, rows: 33, columns: 101 });
    await yard.runtime.start(container.id);
    await expectOutput(output, "33 101\r\n");
    await yard.runtime.resize({ ...container, rows: 20, columns: 80 });
    await expectOutput(output, "20 80\r\n");
  });

  test("a reader that stalls does not stop the container, and is told what it missed", async () => {
    await using yard = new Yard();
    const container = await yard.create(["sh", "-c", "dd if=/dev/zero bs=1M count=40 2>/dev/null; echo end"], {
      logPath: undefined,
    });
    await using streams = await yard.runtime.attach({ ...container, stdin: false, tty: false });
    const output = streams.output[Symbol.asyncIterator]();
    await yard.runtime.start(container.id);
    expect((await yard.ended(container)).exitCode).toBe(0);
    let size = 0;
    let rest = "";
    for (let next = await output.next(); !next.done; next = await output.next()) {
      size += next.value.data.length;
      rest = (rest + next.value.data.toString("latin1")).slice(-10);
      if (next.value.stream === "stderr") expect(next.value.data.toString()).toMatch(/\d+ bytes of output are missing/);
    }
    expect(size).toBeLessThan(20 << 20);
    expect(rest.endsWith("end\n")).toBe(true);
  });

  test("works where the path of the socket is longer than sockets allow", async () => {
    await using yard = new Yard();
    const container = await yard.create(["echo", "hi"]);
    expect(container.bundle.length).toBeGreaterThan(107);
    await using streams = await yard.runtime.attach({ ...container, stdin: false, tty: false });
    await yard.runtime.start(container.id);
    expect(await text(streams)).toBe("hi\n");
  });
});

describe("exec", () => {
  test("gives the program's streams and exit code", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sleep", "100"]);
    await using running = await yard.runtime.exec(
      yard.execInput(container, ["sh", "-c", "cat; echo no >&2; exit 9"], { stdin: true }),
    );
    running.stdin!.end("typed");
    const received = { stdout: "", stderr: "" };
    for await (const { stream, data } of running.output) received[stream] += data.toString();
    expect(received).toEqual({ stdout: "typed", stderr: "no\n" });
    expect(await running.exit).toBe(9);
  });

  test("a program that is not there gives 127, one that cannot be run 126", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sleep", "100"]);
    for (const tty of [false, true]) {
      await expect(yard.runtime.exec(yard.execInput(container, ["nope"], { tty }))).rejects.toMatchObject({
        code: "invalid",
        details: { exitCode: 127 },
      });
      await expect(
        yard.runtime.exec(yard.execInput(container, ["/bin/not-executable"], { tty })),
      ).rejects.toMatchObject({ code: "invalid", details: { exitCode: 126 } });
    }
    await expect(yard.create(["nope"])).rejects.toMatchObject({ details: { exitCode: 127 } });
    await expect(yard.create(["/bin/not-executable"])).rejects.toMatchObject({ details: { exitCode: 126 } });
  });

  test("with a terminal: its size, input and exit code", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sleep", "100"]);
    const input = yard.execInput(container, ["sh", "-c", "read line; stty size; tty; echo $line; exit 6"], {
      tty: true,
      stdin: true,
    });
    await using running = await yard.runtime.exec(input);
    await yard.runtime.resize({ ...container, execId: input.execId, rows: 12, columns: 34 });
    running.stdin!.write("hello\n");
    const all = await text(running);
    expect(all).toContain("12 34\r\n/dev/pts/0\r\nhello\r\n");
    expect(await running.exit).toBe(6);
  });

  test("detached: it goes on by itself and its exit code can be asked for", async () => {
    await using yard = new Yard();
    const container = await yard.started(["sleep", "100"]);
    const input = yard.execInput(container, ["sh", "-c", "sleep 0.1; exit 8"], { detach: true });
    const { pid } = await yard.runtime.exec(input);
    expect(await cgroups.processes(container.cgroupPath)).toContain(pid);
    expect(yard.runtime.exitOf(container)).toBeUndefined();
    const target = { id: container.id, bundle: container.bundle, execId: input.execId };
    expect((await until(() => yard.runtime.exitOf(target))).exitCode).toBe(8);
    expect(yard.runtime.exitOf(container)).toBeUndefined();
    yard.runtime.forget(target);
    expect(yard.runtime.exitOf(target)).toBeUndefined();
  });
});
