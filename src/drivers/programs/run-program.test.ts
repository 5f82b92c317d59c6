import { expect, test } from "vitest";
import { runProgram } from "./run-program.ts";

test("input goes in, output and exit code come out", async () => {
  const result = await runProgram("sh", ["-c", "cat; echo problem >&2; exit 3"], { input: "hello", timeout_ms: 5000 });
  expect(result).toEqual({ exitCode: 3, stdout: "hello", stderr: "problem\n" });
});

test("a program that is missing, hangs or is not wanted any more ends with a clear error", async () => {
  await expect(runProgram("/no/such/program", [], { timeout_ms: 5000 })).rejects.toMatchObject({
    code: "not_found",
    hint: /installed/,
  });
  await expect(runProgram("sleep", ["60"], { timeout_ms: 50 })).rejects.toMatchObject({ code: "timeout" });
  const stop = new AbortController();
  const running = runProgram("sleep", ["60"], { timeout_ms: 5000, signal: stop.signal });
  stop.abort(new Error("enough"));
  await expect(running).rejects.toThrow("enough");
});
