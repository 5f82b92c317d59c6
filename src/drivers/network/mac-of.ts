import { type Ip, ipBytes } from "../netlink/ip.ts";
import { macText } from "../netlink/mac.ts";

/** The MAC address that goes with an address: whoever gets the address next has the same, so that no neighbour's table is ever wrong. */
export function macOf(address: Ip): string {
  return macText(Buffer.concat([Buffer.from([0x02, 0x42]), ipBytes(address).subarray(-4)]));
}
