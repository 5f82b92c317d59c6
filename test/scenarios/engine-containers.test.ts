import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeHost, type TestHost } from "./harness.ts";

let host: TestHost;
beforeAll(async () => {
  host = await makeHost();
});
afterAll(() => host[Symbol.asyncDispose]());

describe("the life of a container", () => {
  test("it runs its command, its output is logged, its exit code kept, and removing it leaves nothing", async () => {
    const { id, exitCode, output } = await host.run({ command: ["sh", "-c", "echo out; echo err >&2; exit 7"] });
    expect(exitCode).toBe(7);
    expect(output.split("\n").sort()).toEqual(["", "err", "out"]);
    const { state } = await host.engine.containers.inspect(id);
    expect(state).toMatchObject({ status: "exited", exitCode: 7, pid: 0, oomKilled: false });
    await host.engine.containers.remove(id);
    await expect(host.engine.containers.inspect(id)).rejects.toMatchObject({ code: "not_found" });
    expect((await host.engine.system.check()).findings).toEqual([]);
  });
});
