import { afterAll, beforeAll, expect, test } from "vitest";
import { NetworkFixture } from "./network-fixture.ts";

let fixture: NetworkFixture;
beforeAll(() => {
  fixture = new NetworkFixture();
});
afterAll(() => fixture.close());

test("containers on the default bridge reach each other and the host", async () => {
  const one = await fixture.member("one", "bridge");
  const two = await fixture.member("two", "bridge");
  const [first, second] = [one.endpoints[0]!, two.endpoints[0]!];
  expect(first.gateway).toBeDefined();
  expect(await fixture.pings(one, second.ipv4!)).toBe(true);
  expect(await fixture.pings(two, first.ipv4!)).toBe(true);
  expect(await fixture.pings(one, first.gateway!)).toBe(true);
});

test("a published TCP port answers on 127.0.0.1 and on the host's address, and inside containers too", async () => {
  const web = await fixture.member("web", "bridge");
  const client = await fixture.member("client", "bridge");
  await fixture.serve(web, "tcp", 80);
  const [port] = await fixture.networks.publish(web.id, web.endpoints, [{ containerPort: 80, protocol: "tcp" }]);
  const { gateway } = web.endpoints[0]!;
  expect(port).toMatchObject({ containerPort: 80, protocol: "tcp", hostAddress: "0.0.0.0" });
  expect(await fixture.ask(undefined, "tcp", "127.0.0.1", port!.hostPort)).toBe(gateway);
  expect(await fixture.ask(undefined, "tcp", gateway!, port!.hostPort)).not.toBe("");
  expect(await fixture.ask(client, "tcp", gateway!, port!.hostPort)).toBe(gateway);
  expect(await fixture.ask(web, "tcp", gateway!, port!.hostPort)).toBe(gateway);
  await fixture.networks.unpublish(web.id);
  expect(await fixture.ask(undefined, "tcp", "127.0.0.1", port!.hostPort)).toBe("");
});
