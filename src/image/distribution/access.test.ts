import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunProgram } from "../../ports/programs.ts";
import { testCertificate } from "../../testing/certificate.ts";
import { testImages } from "../../testing/image-store.ts";
import { TestRegistry } from "../../testing/registry.ts";
import { sampleImage } from "../../testing/sample-images.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "berth-image-access-"));
});
afterEach(() => rm(directory, { recursive: true }));

const account = { username: "ann", password: "se:cret" };
const writeJson = (name: string, value: unknown) => writeFile(join(directory, name), JSON.stringify(value));

describe.each(["basic", "token", "token-post"] as const)("a registry that asks for %s authentication", kind => {
  test("lets given credentials pull and push, and tells others to log in", async () => {
    await using registry = await TestRegistry.start({ auth: { kind, ...account } });
    registry.add("private/app", "1", sampleImage());
    await using store = await testImages();
    const name = `${registry.domain}/private/app:1`;
    await store.images.pull(name, { auth: account });
    await store.images.tag(name, `${registry.domain}/private/copy:1`);
    await store.images.push(`${registry.domain}/private/copy:1`, { auth: account });
    expect(await store.images.login(registry.domain, account)).toBe("Login Succeeded");
    for (const auth of [undefined, { username: "ann", password: "wrong" }]) {
      await expect(store.images.pull(name, { auth })).rejects.toMatchObject({
        code: "unauthorized",
        hint: expect.stringContaining(`berth login ${registry.domain}`),
      });
    }
    await expect(store.images.login(registry.domain, { username: "ann", password: "no" })).rejects.toMatchObject({
      code: "unauthorized",
    });
  });
});

test("an identity token is traded for access", async () => {
  await using registry = await TestRegistry.start({ auth: { kind: "token", ...account } });
  registry.add("app", "1", sampleImage());
  await using store = await testImages();
  await store.images.pull(`${registry.domain}/app:1`, { auth: { identityToken: account.password } });
});

test("one token serves a whole pull", async () => {
  await using registry = await TestRegistry.start({ auth: { kind: "token", ...account } });
  registry.add("app", "1", sampleImage());
  await using store = await testImages();
  await store.images.pull(`${registry.domain}/app:1`, { auth: account });
  expect(registry.count(/GET \/token/)).toBe(1);
});

describe("docker's config.json", () => {
  const auth = Buffer.from("ann:se:cret").toString("base64");

  test.each([
    ["its own entry", (domain: string) => ({ auths: { [domain]: { auth } } })],
    ["an entry with scheme and path", (domain: string) => ({ auths: { [`https://${domain}/v2/`]: { auth } } })],
    ["a helper for the registry", (domain: string) => ({ credHelpers: { [domain]: "kept" } })],
    ["a helper for all", () => ({ credsStore: "kept" })],
    [
      "the file where the helper knows nothing",
      (domain: string) => ({ credsStore: "empty", auths: { [domain]: { auth } } }),
    ],
  ])("gives the credentials: %s", async (_, config) => {
    await using registry = await TestRegistry.start({ auth: { kind: "basic", ...account } });
    registry.add("app", "1", sampleImage());
    await writeJson("config.json", config(registry.domain));
    const asked: string[] = [];
    const runProgram: RunProgram = async (program, args, { input }) => {
      asked.push(`${program} ${args.join(" ")} ${input}`);
      if (program.endsWith("empty"))
        return { exitCode: 1, stdout: "credentials not found in native keychain\n", stderr: "" };
      return { exitCode: 0, stdout: JSON.stringify({ Username: "ann", Secret: "se:cret" }), stderr: "" };
    };
    await using store = await testImages({ registries: { dockerConfig: directory, runProgram } });
    await store.images.pull(`${registry.domain}/app:1`);
    for (const line of asked) expect(line).toMatch(new RegExp(`^docker-credential-\\w+ get ${registry.domain}$`));
  });

  test("a helper that fails is named with its words", async () => {
    await using registry = await TestRegistry.start({ auth: { kind: "basic", ...account } });
    await writeJson("config.json", { credsStore: "broken" });
    const runProgram: RunProgram = async () => ({ exitCode: 2, stdout: "", stderr: "keyring locked" });
    await using store = await testImages({ registries: { dockerConfig: directory, runProgram } });
    await expect(store.images.pull(`${registry.domain}/app:1`)).rejects.toThrow("keyring locked");
  });

  test("a helper's name is no path", async () => {
    await using registry = await TestRegistry.start({ auth: { kind: "basic", ...account } });
    await writeJson("config.json", { credsStore: "../../bin/evil" });
    await using store = await testImages({ registries: { dockerConfig: directory } });
    await expect(store.images.pull(`${registry.domain}/app:1`)).rejects.toMatchObject({ code: "invalid" });
  });
});

describe("TLS", () => {
  test("a registry on loopback is reached by TLS where it speaks it, whatever its certificate", async () => {
    await using registry = await TestRegistry.start({ tls: true });
    registry.add("app", "1", sampleImage());
    await using store = await testImages();
    await store.images.pull(`${registry.domain}/app:1`);
  });

  test("elsewhere its certificate must be signed by an authority that is known or named", async () => {
    await using registry = await TestRegistry.start({ tls: true });
    registry.add("app", "1", sampleImage());
    await writeFile(join(directory, "ca.pem"), testCertificate);
    await using store = await testImages({ registries: { registriesFile: join(directory, "registries.json") } });
    const name = `${registry.domain}/app:1`;
    await writeJson("registries.json", { registries: { [registry.domain]: { insecure: false } } });
    await expect(store.images.pull(name)).rejects.toMatchObject({
      message: expect.stringContaining("certificate is not trusted"),
      hint: expect.stringContaining('"ca"'),
    });
    await writeJson("registries.json", { registries: { [registry.domain]: { insecure: false, ca: "ca.pem" } } });
    await store.images.pull(name);
  });

  test("a registry without TLS is not asked in the clear unless that is allowed", async () => {
    await using registry = await TestRegistry.start();
    registry.add("app", "1", sampleImage());
    await using store = await testImages({ registries: { registriesFile: join(directory, "registries.json") } });
    const name = `${registry.domain}/app:1`;
    await writeJson("registries.json", { registries: { [registry.domain]: { insecure: false } } });
    await expect(store.images.pull(name)).rejects.toMatchObject({ hint: expect.stringContaining("plainHttp") });
    expect(registry.requests).toEqual([]);
    await writeJson("registries.json", { registries: { [registry.domain]: { plainHttp: true } } });
    await store.images.pull(name);
  });
});

describe("registries.json", () => {
  test("mirrors are asked first, and what they lack comes from the registry", async () => {
    await using mirror = await TestRegistry.start();
    await using registry = await TestRegistry.start();
    const sample = sampleImage();
    registry.add("app", "1", sample);
    mirror.add("app", "1", sample);
    mirror.repository("app").blobs.delete(sample.layers[1]!.digest);
    await writeJson("registries.json", { registries: { [registry.domain]: { mirrors: [`http://${mirror.domain}`] } } });
    await using store = await testImages({ registries: { registriesFile: join(directory, "registries.json") } });
    await store.images.pull(`${registry.domain}/app:1`);
    expect(mirror.count(/GET .*manifests/)).toBe(1);
    expect(registry.requests.map(({ path }) => path).filter(path => path.includes("blobs"))).toEqual([
      `/v2/app/blobs/${sample.layers[1]!.digest}`,
    ]);
  });

  test("a mirror that is down or knows nothing is passed over", async () => {
    await using registry = await TestRegistry.start();
    await using empty = await TestRegistry.start();
    registry.add("app", "1", sampleImage());
    const mirrors = ["http://127.0.0.1:1", `http://${empty.domain}`];
    await writeJson("registries.json", { registries: { [registry.domain]: { mirrors } } });
    await using store = await testImages({ registries: { registriesFile: join(directory, "registries.json") } });
    await store.images.pull(`${registry.domain}/app:1`);
  });

  test.each([
    [{ registries: { "a.example": { insecur: true } } }, 'unknown key "insecur"'],
    [{ registries: { "a.example": { insecure: "yes" } } }, 'insecure is "yes"'],
    [{ registry: {} }, 'unknown key "registry"'],
    [{ registries: { "a.example": { mirrors: ["mirror.example"] } } }, "is not http(s)://"],
  ])("a mistake in it is named: %j", async (value, message) => {
    await writeJson("registries.json", value);
    await using store = await testImages({ registries: { registriesFile: join(directory, "registries.json") } });
    await expect(store.images.pull("a.example/app:1")).rejects.toThrow(message);
  });
});
