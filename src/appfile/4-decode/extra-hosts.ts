import { isIP } from "node:net";
import { list, type Node, scalar } from "../node.ts";
import { listOf } from "./collections.ts";
import { scalarText, text } from "./scalars.ts";
import { type Shape, wrong } from "./shape.ts";

/** `HOST=ADDRESS` or `HOST:ADDRESS`. Canonical: a list of `HOST=ADDRESS`; one host may have several addresses. */
export const extraHosts: Shape<string[]> = {
  expected: "a list of HOST=ADDRESS, or a mapping from hosts to addresses",
  decode(node, to) {
    const found: Node[] = [];
    const put = (host: string, address: string, from: Node) => {
      const plain = address.replace(/^\[(.*)\]$/, "$1");
      if (plain !== "host-gateway" && isIP(plain) === 0) wrong(from, to, `an IP address or host-gateway for ${host}`);
      else found.push(scalar(`${host}=${plain}`, from.at));
    };
    if (node.kind === "map") {
      for (const [host, { value }] of node.entries) {
        for (const each of value.kind === "list" ? value.items : [value]) {
          put(host, each.kind === "scalar" ? scalarText(each.value) : "", each);
        }
      }
    } else if (node.kind === "list") {
      for (const item of node.items) {
        const match = /^([^=:]+)[=:](.*)$/.exec(item.kind === "scalar" ? scalarText(item.value) : "");
        if (match) put(match[1]!, match[2]!, item);
        else wrong(item, to, "HOST=ADDRESS");
      }
    } else return wrong(node, to, extraHosts.expected);
    return hostList.decode(list(found, node.at), to);
  },
  merge: (base, over) => hostList.merge!(base, over),
};
const hostList = listOf(text);
