import type { Readable } from "node:stream";
import type { MethodShape, MethodTable } from "../api/methods.ts";
import { decodeValue } from "../api/values.ts";
import { BerthError } from "../base/errors.ts";
import { remoteSession } from "./session.ts";
import { type HttpTransport, readAll, readLines } from "./transport.ts";

type Options = Record<string, unknown> & { signal?: AbortSignal };
type Method = (...args: unknown[]) => unknown;

/**
 * The backends of a berthd as local objects: the same interfaces that the server implements, each method made from its line in the table.
 * `T` is the caller's claim of what the table serves, e.g. `Pick<Engine, "containers" | "images">`.
 */
export function createClient<T>(tables: MethodTable, transport: HttpTransport): T {
  const nouns = Object.entries(tables).map(([noun, methods]) => [
    noun,
    Object.fromEntries(
      Object.entries(methods).map(([verb, shape]) => [verb, remoteMethod(transport, noun, verb, shape)]),
    ),
  ]);
  return Object.fromEntries(nouns) as T;
}

function remoteMethod(transport: HttpTransport, noun: string, verb: string, shape: MethodShape): Method {
  const optionsOf = (args: unknown[]) => (args[shape.options] ?? {}) as Options;
  switch (shape.kind) {
    case "call":
      return async (...args) => {
        const response = await transport.send(noun, verb, args, { signal: optionsOf(args).signal });
        return (decodeValue(await readAll(response)) as { result: unknown }).result ?? undefined;
      };
    case "items":
      return (...args) => remoteItems(transport, noun, verb, args, optionsOf(args).signal);
    case "progress":
      return async (...args) => {
        const options = optionsOf(args);
        return await finish(
          await transport.send(noun, verb, args, { signal: options.signal }),
          options,
          shape.callbacks,
        );
      };
    case "upload":
      return async (...args) => {
        const options = optionsOf(args);
        const [body] = args.splice(shape.argument, 1) as [Readable];
        return await finish(
          await transport.send(noun, verb, args, { signal: options.signal, body }),
          options,
          shape.callbacks,
        );
      };
    case "download":
      return async (...args) => {
        const response = await transport.send(noun, verb, args, { signal: optionsOf(args).signal });
        const rest = decodeValue(Buffer.from(String(response.headers["berth-result"]), "base64url").toString("utf8"));
        return shape.stream === undefined ? response : { ...(rest as object), [shape.stream]: response };
      };
    case "session":
      return async (...args) => {
        const { result, socket, head } = await transport.upgrade(noun, verb, args, { signal: optionsOf(args).signal });
        if (result === null) return undefined;
        return remoteSession(socket, head, (result as { tty: boolean }).tty);
      };
  }
}

async function* remoteItems(
  transport: HttpTransport,
  noun: string,
  verb: string,
  args: unknown[],
  signal?: AbortSignal,
) {
  for await (const line of readLines(await transport.send(noun, verb, args, { signal }))) {
    if ("item" in line) yield line["item"];
  }
}

type Lines = Parameters<typeof readLines>[0];

async function finish(response: Lines, options: Options, callbacks: string[]): Promise<unknown> {
  for await (const line of readLines(response)) {
    if ("result" in line) return line["result"] ?? undefined;
    const callback = callbacks.includes(String(line["callback"])) ? options[String(line["callback"])] : undefined;
    if (typeof callback === "function") callback(line["value"]);
  }
  throw new BerthError("unavailable", "berthd ended the answer without a result");
}
