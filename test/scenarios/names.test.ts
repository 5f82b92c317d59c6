import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decode, encode } from "dns-packet";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
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
  const reversed = `${ipv4!.split(".").reverse().join(".")}.in-addr.arpa`;
  expect(await fixture.lookup(client, reversed, "PTR")).toEqual(["web.front"]);
});

test("an alias of several containers gives all their addresses; one that leaves is gone from it", async () => {
  const members = [];
  for (const name of ["r1", "r2", "r3"])
    members.push(await fixture.member(name, { network: "back", aliases: ["replica"] }));
  const client = await fixture.member("reader", "back");
  const addresses = members.map(member => member.endpoints[0]!.ipv4!);
  expect([...(await fixture.lookup(client, "replica"))].sort()).toEqual([...addresses].sort());
  await fixture.networks.release(members[0]!.id);
  expect([...(await fixture.lookup(client, "replica"))].sort()).toEqual(addresses.slice(1).sort());
});

test("a container sees the names of its own networks only, from when it joins until it leaves", async () => {
  const db = await fixture.member("db", "back");
  const app = await fixture.member("app", "front");
  const unknown = await fixture.lookup(app, "db");
  expect(unknown).not.toEqual([db.endpoints[0]!.ipv4]);
  await fixture.connect(app, { network: "back" });
  expect(await fixture.lookup(app, "db")).toEqual([db.endpoints[0]!.ipv4]);
  await fixture.networks.disconnect(app.id, "back");
  expect(await fixture.lookup(app, "db")).not.toEqual([db.endpoints[0]!.ipv4]);
});

test("a DNS server in a container can have port 53 on all addresses", async () => {
  const server = await fixture.member("nameserver", "front");
  await fixture.serve(server, "udp", 53, "0.0.0.0");
  await fixture.serve(server, "tcp", 53, "0.0.0.0");
  expect(await fixture.lookup(server, "nameserver")).toEqual([server.endpoints[0]!.ipv4]);
});

test("other names are asked of the container's own nameservers, and links name others", async () => {
  // An address of this test alone, out of the 16 million that loopback has.
  const address = `127.${process.pid % 250}.${(process.pid >> 8) % 250}.53`;
  const upstream = await fakeNameserver(address);
  try {
    const asker = await fixture.member("asker");
    await fixture.connect(asker, { network: "front" }, { nameservers: [address], links: ["web:shop"] });
    expect(await fixture.lookup(asker, "example.org")).toEqual(["203.0.113.80"]);
    expect(await fixture.lookup(asker, "missing.example.org")).toBe("NXDOMAIN");
    // A legacy link is a further name for this container alone.
    expect(await fixture.lookup(asker, "shop")).toEqual(await fixture.lookup(asker, "web"));
  } finally {
    upstream.close();
  }
});

test("from an internal network nothing is asked of others", async () => {
  await fixture.network("closed", { internal: true });
  const asker = await fixture.member("recluse");
  await fixture.connect(asker, { network: "closed" }, { nameservers: ["127.0.0.1"] });
  expect(await fixture.lookup(asker, "recluse")).toEqual([asker.endpoints[0]!.ipv4]);
  expect(await fixture.lookup(asker, "secret.example.org")).toBe("NXDOMAIN");
});

test("after the resolver program is killed, tending or the next connection brings all names back", async () => {
  const web = await fixture.member("again", "front");
  const other = await fixture.member("other", "front");
  for (const revive of [() => fixture.networks.tend(), () => fixture.member("newcomer", "front")]) {
    process.kill(await resolverPid(), "SIGKILL");
    await vi.waitFor(async () => expect(await running()).toBe(false), { timeout: 5000 });
    await revive();
    expect(await fixture.lookup(other, "again")).toEqual([web.endpoints[0]!.ipv4]);
  }
});

test("the resolver program ends by itself when its last container has gone", async () => {
  const own = new NetworkFixture();
  try {
    await own.network("short");
    const one = await own.member("brief", "short");
    const pid = await resolverPid(own);
    await own.networks.release(one.id);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000, interval: 100 });
  } finally {
    await own.close();
  }
});

async function resolverPid(of = fixture): Promise<number> {
  const found = await of.run(undefined, ["pgrep", "-f", `berth-dns.*--state ${join(of.directory, "run")}`]);
  return Number(found.split("\n")[0]);
}

const running = () =>
  resolverPid().then(
    pid => isAlive(pid),
    () => false,
  );

/** A killed process may stay a zombie for a while. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Knows example.org. */
async function fakeNameserver(address: string) {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    const { id, questions } = decode(message);
    const name = questions![0]!.name;
    const known = name === "example.org";
    const answers = known ? [{ type: "A" as const, name, ttl: 60, data: "203.0.113.80" }] : [];
    const flags = known ? 0x180 : 0x183;
    socket.send(encode({ type: "response", id, flags, questions, answers }), from.port, from.address);
  });
  const listening = once(socket, "listening");
  socket.bind(53, address);
  await listening;
  return socket;
}
