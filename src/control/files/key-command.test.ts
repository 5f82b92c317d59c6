import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../../drivers/programs/run-program.ts";
import { storeKeys } from "./key-command.ts";

describe("the store's key from a command", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "berth-key-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const keys = (command?: string) => storeKeys(directory, command, runProgram);
  const hex = (digit: string) => digit.repeat(64);

  it("is in a file beside the store where there is no command", async () => {
    expect(await keys()).toEqual(await keys());
    expect(readdirSync(directory)).toEqual(["key"]);
  });

  it("is what the command prints, and nothing of it is kept", async () => {
    expect(await keys(`echo ${hex("a")}; echo ${hex("b")}`)).toEqual([Buffer.alloc(32, 0xaa), Buffer.alloc(32, 0xbb)]);
    expect(readdirSync(directory)).toEqual(["key-salt"]);
  });

  it("is made from a passphrase, the same each time, and another for another store", async () => {
    const [key] = await keys("echo correct horse battery");
    expect(await keys("echo correct horse battery")).toEqual([key]);
    expect(await keys("echo correct horse bakery")).not.toEqual([key]);
    for (const name of readdirSync(directory))
      expect(readFileSync(join(directory, name), "utf8")).not.toContain("horse");
    rmSync(join(directory, "key-salt"));
    expect(await keys("echo correct horse battery")).not.toEqual([key]);
  });

  it("still opens what the key file sealed before", async () => {
    const [old] = await keys();
    expect(await keys(`echo ${hex("a")}`)).toEqual([Buffer.alloc(32, 0xaa), old]);
  });

  it("is refused where the command fails, prints something else, or is not given any more", async () => {
    await expect(keys("echo vault is sealed >&2; exit 2")).rejects.toThrow(/ended with 2: vault is sealed/);
    await expect(keys("echo short")).rejects.toMatchObject({ code: "invalid" });
    await expect(keys("echo one long passphrase; echo another one here")).rejects.toThrow(/neither keys nor one/);
    await keys("echo correct horse battery");
    await expect(keys()).rejects.toMatchObject({
      code: "forbidden",
      hint: expect.stringContaining("--store-key-command"),
    });
  });
});
