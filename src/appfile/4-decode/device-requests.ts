import { list, mapOf, type Node, scalar } from "../node.ts";
import { listOf, object, pairs, texts } from "./collections.ts";
import { integer, text } from "./scalars.ts";
import { type Decoder, wrong } from "./shape.ts";

const deviceKeys = {
  driver: text,
  count: {
    ...integer(-1),
    expected: 'a number, or "all"',
    decode: (node: Node, to: Decoder) =>
      node.kind === "scalar" && node.value === "all" ? scalar(-1, node.at) : integer(-1).decode(node, to),
  },
  device_ids: texts,
  options: pairs("options", "empty"),
};
export const deviceRequests = listOf(object("a device request", { capabilities: texts }, deviceKeys));

const gpuList = listOf(object("a GPU request", {}, { ...deviceKeys, capabilities: texts }));
export const gpus: typeof gpuList = {
  ...gpuList,
  expected: '"all", or a list of GPU requests',
  decode(node, to) {
    if (node.kind === "list") return gpuList.decode(node, to);
    if (node.kind !== "scalar" || node.value !== "all") return wrong(node, to, gpus.expected);
    return list([mapOf({ count: scalar(-1, node.at) }, node.at)], node.at);
  },
};
