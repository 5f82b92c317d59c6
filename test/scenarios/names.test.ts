import { afterAll, beforeAll, expect, test } from "vitest";
import { NetworkFixture } from "./network-fixture.ts";

let fixture: NetworkFixture;
beforeAll(async () => {
  fixture = new NetworkFixture();
  await fixture.network("front");
  await fixture.network("back");
});
afterAll(() => fixture.close());

test("containers of a network find each other by name, alias and short id, and addresses by number", async () => {
  const web = await fixture.member("web", { network: "front", aliases: ["www"] });
  const client = await fixture.member("client", "front");
  const { ipv4 } = web.endpoints[0]!;
  expect(fixture.networks.resolverAddress(web.endpoints)).toBe("127.0.0.11");
  for (const name of ["web", "WEB.", "www", "web.front", web.id.slice(0, 12)]) {
    expect(await fixture.lookup(client, name)).toEqual([ipv4]);
  }
  expect(await fixture.lookup(client, "web", "A", true)).toEqual([ipv4]);
  expect(await fixture.lookup(client, "web", "AAAA")).toEqual([]);
  expect(await fixture.lookup(client, ipv4!.split(".").reverse().join(".") + ".in-addr.arpa", "PTR")).toEqual([
    "web.front",
  ]);
});
