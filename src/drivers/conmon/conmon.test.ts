import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { hidingArguments } from "./hide-unified.ts";
import { createArguments, execArguments, type MonitorContext } from "./monitor-arguments.ts";
import { OutputQueue } from "./output-queue.ts";
import { lastLoggedError, runtimeError } from "./runtime-errors.ts";
import { isAlive, parseCrunState, parseRuncState } from "./runtime-state.ts";
import { signalNumber } from "./signal-process.ts";
import { SyncPipe } from "./sync-pipe.ts";

const context: MonitorContext = {
  monitor: "/usr/bin/conmon",
  runtime: { name: "crun", path: "/usr/bin/crun", version: "1", command: "/usr/bin/crun", prefix: [] },
  runtimeRoot: "/run/berth/runtime",
  exitsDirectory: "/run/berth/exits",
  execExitsDirectory: "/run/berth/exec-exits",
  environment: {},
};

describe("the monitor's command line", () => {
  const container = {
    id: "c1",
    bundle: "/b",
    tty: false,
    openStdin: false,
    stdinOnce: false,
    logPath: "/b/log",
    exitCommand: ["/bin/sh", "-e", "/b/exit"],
  };
  const text = (more: Partial<typeof container>) => createArguments({ ...container, ...more }, context).join(" ");

  test("of a container", () => {
    expect(text({})).toBe(
      "--api-version 1 -c c1 -u c1 -n c1 -r /usr/bin/crun --exit-dir /run/berth/exits --full-attach --log-level error " +
        "--runtime-arg --root --runtime-arg /run/berth/runtime --runtime-arg --log-format=json --runtime-arg --log --runtime-arg /b/runtime.log " +
        "-b /b -p /b/pidfile -P /b/conmon.pid --persist-dir /b/persist -l k8s-file:/b/log " +
        "--exit-command /bin/sh --exit-command-arg -e --exit-command-arg /b/exit",
    );
  });

  test("with a terminal, with input, without a log", () => {
    expect(text({ tty: true, openStdin: true })).toMatch(/ -t --leave-stdin-open /);
    expect(text({ openStdin: true, stdinOnce: true })).toMatch(/ -i --exit-command/);
    expect(text({ openStdin: true })).toMatch(/ -i --leave-stdin-open /);
    expect(createArguments({ ...container, logPath: undefined, exitCommand: [] }, context).join(" ")).toMatch(
      / -l none$/,
    );
  });

  test("of an exec, whose record never takes the container's place", () => {
    const exec = { id: "c1", execId: "e1", directory: "/b/exec/e1", tty: true, stdin: true, detach: false };
    const attached = execArguments(exec, context).join(" ");
    expect(attached).toContain("-c c1 -u e1 -n e1 -r /usr/bin/crun --exit-dir /run/berth/exec-exits/e1 ");
    expect(attached).toMatch(/-e --exec-process-spec \/b\/exec\/e1\/process.json --exec-attach -t$/);
    expect(execArguments({ ...exec, tty: false, detach: true }, context).join(" ")).toMatch(
      /--exit-command \/bin\/mv --exit-command-arg \/run\/berth\/exec-exits\/e1\/c1 --exit-command-arg \/run\/berth\/exits\/e1 -i$/,
    );
  });

  test("goes through perl where a tree of control groups has to be hidden", () => {
    const prefix = hidingArguments("x64", "/sys/fs/cgroup", "/sys/fs/cgroup/unified")!;
    expect(prefix[1]).toContain("syscall(272, 131072)");
    expect(prefix.at(-1)).toBe("--");
    expect(hidingArguments("mips", "/a", "/b")).toBeUndefined();
  });
});

test.each([
  ['runc create failed: unable to start container process: exec: "nope": executable file not found in $PATH\n', 127],
  ['exec failed: unable to start container process: exec: "/x/y": stat /x/y: no such file or directory', 127],
  ["executable file `nope` not found in $PATH: No such file or directory", 127],
  ['exec failed: unable to start container process: exec: "/etc": is a directory', 126],
  ['runc create failed: unable to start container process: exec: "/a": permission denied', 126],
  ["open executable: Permission denied", 126],
  ["exec: Exec format error", 126],
  ['error mounting "/a" to rootfs at "/b": mount: not a directory', 126],
])("%s gives %i", (words, exitCode) => {
  expect(runtimeError("trying", words, "nope")).toMatchObject({ code: "invalid", details: { exitCode } });
});

test("other failures of the runtime keep its words and have no exit code", () => {
  const error = runtimeError("making it", 'error mounting "/a": no such file or directory\n second line', "a");
  expect(error).toMatchObject({
    code: "internal",
    message: 'making it: error mounting "/a": no such file or directory; second line',
    details: undefined,
  });
  expect(runtimeError("making it", "", undefined).message).toBe("making it: the runtime failed without a word");
});

test("the last error of a log in JSON lines", () => {
  const log =
    '{"level":"error","msg":"first"}\n{"level":"error","msg":"second"}\n{"level":"warning","msg":"later"}\n{"level":"err';
  expect(lastLoggedError(log)).toBe("second");
  expect(lastLoggedError("")).toBe("");
});

describe("reports of the monitor", () => {
  test("come line by line, in whatever pieces", async () => {
    const stream = new PassThrough();
    const pipe = new SyncPipe(stream);
    const first = pipe.next();
    stream.write('{"data": 1');
    stream.write('2}\n{"data":-1,"message":"no"}\n');
    expect([await first, await pipe.next()]).toEqual([{ data: 12 }, { data: -1, message: "no" }]);
    const last = pipe.next();
    stream.end();
    expect([await last, await pipe.next()]).toEqual([undefined, undefined]);
  });

  test("waiting can be called off", async () => {
    const stop = new AbortController();
    const pipe = new SyncPipe(new PassThrough());
    const report = pipe.next(stop.signal);
    stop.abort(new Error("enough"));
    await expect(report).rejects.toThrow("enough");
  });
});

describe("output on its way to a reader", () => {
  const chunk = (text: string) => ({ stream: "stdout" as const, data: Buffer.from(text) });

  test("comes in order, and ends", async () => {
    const queue = new OutputQueue(100);
    queue.push(chunk("a"));
    const reading = Array.fromAsync(queue, ({ data }) => data.toString());
    queue.push(chunk("b"));
    await new Promise(resolve => setImmediate(resolve));
    queue.push(chunk("c"));
    queue.end();
    queue.push(chunk("too late"));
    expect(await reading).toEqual(["a", "b", "c"]);
  });

  test("loses the oldest beyond its bound, and says how much", async () => {
    const queue = new OutputQueue(10);
    for (let index = 0; index < 12; index++) queue.push(chunk(String(index % 10)));
    queue.end();
    const received = await Array.fromAsync(queue, ({ data }) => data.toString());
    expect(received[0]).toMatch(/6 bytes of output are missing/);
    expect(received.slice(1).join("")).toBe("678901");
  });
});

test("a runtime's own records", () => {
  const runc = JSON.stringify({
    init_process_pid: 7,
    init_process_start: 99,
    config: { cgroups: { path: "/berth/x" } },
  });
  expect(parseRuncState(runc)).toEqual({ pid: 7, startTime: 99, cgroupPath: "/berth/x" });
  const crun = JSON.stringify({ pid: 7, "process-start-time": 99, "cgroup-path": "/berth/x" });
  expect(parseCrunState(crun)).toEqual({ pid: 7, startTime: 99, cgroupPath: "/berth/x" });
  expect(() => parseCrunState("{")).toThrow(/not JSON/);
});

test("a process with the same number but another start is not the same", () => {
  expect(isAlive({ pid: process.pid, startTime: 1 })).toBe(false);
  expect(isAlive({ pid: 0, startTime: 0 })).toBe(false);
  expect(isAlive({ pid: 2 ** 22 + 1, startTime: 1 })).toBe(false);
});

test("signals in all their spellings", () => {
  expect(["SIGTERM", "term", "15", "RTMIN", "SIGRTMIN+3", "RTMAX-1"].map(signalNumber)).toEqual([
    15, 15, 15, 34, 37, 63,
  ]);
  for (const name of ["0", "65", "NOPE", "RTMIN+99", ""])
    expect(() => signalNumber(name)).toThrow(/there is no signal/);
});
