import { spawn } from "node:child_process";
import { BerthError } from "../../base/errors.ts";
import type { RunProgram } from "../../ports/programs.ts";

const outputLimit_bytes = 1024 * 1024;

export const runProgram: RunProgram = (program, args, { input = "", timeout_ms, signal }) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: timeout_ms,
      killSignal: "SIGKILL",
      signal,
    });
    const collect = (stream: NodeJS.ReadableStream) => {
      const text = { value: "" };
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        if (text.value.length < outputLimit_bytes) text.value += chunk;
      });
      return text;
    };
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.once("error", cause => {
      if (signal?.aborted) return reject(signal.reason);
      reject(
        new BerthError("not_found", `starting ${program} failed: ${cause.message}`, {
          cause,
          hint: `is ${program} installed and in PATH?`,
        }),
      );
    });
    child.once("close", (code, killedBy) => {
      if (child.killed && killedBy === "SIGKILL")
        return reject(new BerthError("timeout", `${program} did not end within ${timeout_ms} ms`));
      resolve({ exitCode: code ?? 128, stdout: stdout.value, stderr: stderr.value });
    });
    // A program that does not read its input is free not to.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
