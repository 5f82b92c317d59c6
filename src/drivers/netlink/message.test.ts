import { expect, test } from "vitest";
import { addAddress, parseAddress } from "./addresses.ts";
import { parseIp } from "./ip.ts";
import { addVeth, parseLink } from "./links.ts";
import { macBytes } from "./mac.ts";
import {
  attribute,
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  nested,
  textAttribute,
  textOf,
} from "./message.ts";
import { parseRoute, setDefaultRoute } from "./routes.ts";

test("attributes are padded to four bytes and read back", () => {
  const data = Buffer.concat([
    textAttribute(3, "eth0"),
    attribute(7, Buffer.from([1])),
    nested(18, textAttribute(1, "veth")),
  ]);
  expect(data.length % 4).toBe(0);
  const found = decodeAttributes(data);
  expect(textOf(found.get(3))).toBe("eth0");
  expect(found.get(7)).toEqual(Buffer.from([1]));
  expect(textOf(decodeAttributes(found.get(18)!).get(1))).toBe("veth");
});

test("a message has its header in front: length, type, flags, sequence", () => {
  const bytes = encodeMessage({ what: "", type: 20, flags: 0x600, body: Buffer.from("abcde") }, 7);
  expect(bytes.toString("hex")).toBe("15000000" + "1400" + "0106" + "07000000" + "00000000" + "6162636465" + "000000");
  expect([...decodeMessages(bytes)]).toEqual([{ type: 20, flags: 0x601, sequence: 7, body: Buffer.from("abcde") }]);
});

test("a datagram that lies about a length ends there instead of being believed", () => {
  const bytes = encodeMessage({ what: "", type: 20, flags: 0, body: Buffer.alloc(8) }, 1);
  bytes.writeUInt32LE(1000, 0);
  expect([...decodeMessages(bytes)]).toEqual([]);
  expect(decodeAttributes(Buffer.from([200, 0, 1, 0, 9]))).toEqual(new Map());
});

test("an address is written as ip(8) writes it", () => {
  const { body } = addAddress({ index: 3, address: parseIp("172.17.0.2"), prefixLength: 16 });
  expect(body.toString("hex")).toBe(
    "02100000" + "03000000" + "08000200ac110002" + "08000100ac110002" + "08000400ac11ffff",
  );
  expect(parseAddress(body)).toEqual({ index: 3, address: parseIp("172.17.0.2"), prefixLength: 16 });
});

test("a default route and an interface pair read back as they were meant", () => {
  expect(parseRoute(setDefaultRoute(parseIp("fd00::1"), 5).body)).toMatchObject({
    family: 6,
    gateway: parseIp("fd00::1"),
    interface: 5,
    destination: undefined,
  });
  const { body } = addVeth({
    name: "vt-1",
    master: 4,
    mtu: 1400,
    peer: { name: "eth0", macAddress: "02:42:ac:11:00:02", namespaceFd: 9 },
  });
  expect(parseLink(body)).toMatchObject({ name: "vt-1", kind: "veth", master: 4, mtu: 1400, up: true });
});

test("what is no MAC address is refused", () => {
  expect(macBytes("02-42-AC-11-00-02").toString("hex")).toBe("0242ac110002");
  expect(() => macBytes("02:42:ac:11:00")).toThrow("not a MAC address");
});
