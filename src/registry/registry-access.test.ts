import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf, openRegistryFixture, type RegistryFixture } from "../testing/registry-fixture.ts";
import { type AccessRules, hashPassword } from "./access.ts";

let f: RegistryFixture;
beforeEach(async () => {
  f = await openRegistryFixture();
});
afterEach(() => f.close());

describe("access", () => {
  const rules: AccessRules = {
    users: {
      ann: { password: hashPassword("pw") },
      robot: { password: hashPassword("r2"), robot: true, expires: "2001-01-01T00:00:00Z" },
    },
    rules: [
      { who: "ann", repositories: "team/*", actions: ["pull", "push", "delete"] },
      { who: "ann", repositories: "*", actions: ["catalog"] },
      { who: "anonymous", repositories: "public/*", actions: ["pull"] },
    ],
  };
  const basic = (user: string, password: string) => ({
    Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
  });
  const routes: [string, string][] = [
    ["GET", "/v2/team/web/manifests/1"],
    ["PUT", "/v2/team/web/manifests/1"],
    ["DELETE", "/v2/team/web/manifests/1"],
    ["GET", `/v2/team/web/blobs/${digestOf("")}`],
    ["HEAD", `/v2/team/web/blobs/${digestOf("")}`],
    ["DELETE", `/v2/team/web/blobs/${digestOf("")}`],
    ["POST", "/v2/team/web/blobs/uploads/"],
    ["PATCH", `/v2/team/web/blobs/uploads/${"0".repeat(64)}`],
    ["PUT", `/v2/team/web/blobs/uploads/${"0".repeat(64)}?digest=${digestOf("")}`],
    ["GET", `/v2/team/web/blobs/uploads/${"0".repeat(64)}`],
    ["DELETE", `/v2/team/web/blobs/uploads/${"0".repeat(64)}`],
    ["GET", "/v2/team/web/tags/list"],
    ["GET", `/v2/team/web/referrers/${digestOf("")}`],
    ["GET", "/v2/_catalog"],
    ["GET", "/v2/"],
  ];

  beforeEach(async () => {
    await f.stop();
    await f.start({ access: rules });
  });

  test.each(routes)(
    "%s %s asks the unknown for credentials, and refuses a token for something else",
    async (method, path) => {
      const answer = await fetch(f.base + path, { method });
      expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([
        401,
        expect.stringContaining("Bearer realm="),
      ]);
      const { token } = (await (
        await fetch(`${f.base}/token?scope=repository:team/other:pull,push`, { headers: basic("ann", "pw") })
      ).json()) as { token: string };
      const wrong = await fetch(f.base + path, { method, headers: { Authorization: `Bearer ${token}` } });
      expect(wrong.status).toBe(path === "/v2/" ? 200 : 401);
      const forged = await fetch(f.base + path, {
        method,
        headers: { Authorization: `Bearer ${token.slice(0, -2)}xx` },
      });
      expect(forged.status).toBe(401);
    },
  );

  test("the token flow: challenge, token for what is allowed, request", async () => {
    const { headers } = await fetch(`${f.base}/v2/team/web/blobs/uploads/`, { method: "POST" });
    const [, realm, scope] = /realm="([^"]+)".*scope="([^"]+)"/.exec(headers.get("www-authenticate")!)!;
    const { token } = (await (await fetch(`${realm}?scope=${scope}`, { headers: basic("ann", "pw") })).json()) as {
      token: string;
    };
    const bearer = { Authorization: `Bearer ${token}` };
    expect((await fetch(`${f.base}/v2/team/web/blobs/uploads/`, { method: "POST", headers: bearer })).status).toBe(202);
    f.now_ms += 301_000;
    expect((await fetch(`${f.base}/v2/team/web/blobs/uploads/`, { method: "POST", headers: bearer })).status).toBe(401);
  });

  test("a user gets what the rules say and no more; a wrong password and an expired robot get nothing", async () => {
    expect(
      (await fetch(`${f.base}/v2/team/web/blobs/uploads/`, { method: "POST", headers: basic("ann", "pw") })).status,
    ).toBe(202);
    expect(
      (await fetch(`${f.base}/v2/ops/web/blobs/uploads/`, { method: "POST", headers: basic("ann", "pw") })).status,
    ).toBe(403);
    expect((await fetch(`${f.base}/v2/`, { headers: basic("ann", "wrong") })).status).toBe(401);
    expect((await fetch(`${f.base}/v2/`, { headers: basic("robot", "r2") })).status).toBe(401);
    expect((await fetch(`${f.base}/v2/public/web/tags/list`)).status).toBe(404);
  });

  test("a blob is not mounted out of a repository that the caller cannot read", async () => {
    await f.stop();
    await f.start();
    const digest = await f.pushBlob("secret/web", "private");
    await f.stop();
    await f.start({ access: rules });
    const answer = await fetch(`${f.base}/v2/team/web/blobs/uploads/?mount=${digest}&from=secret/web`, {
      method: "POST",
      headers: basic("ann", "pw"),
    });
    expect(answer.status).toBe(202);
    expect((await fetch(`${f.base}/v2/team/web/blobs/${digest}`, { headers: basic("ann", "pw") })).status).toBe(404);
  });
});
