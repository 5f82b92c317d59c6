import type { Readable } from "node:stream";
import type { Builder, BuildInput, BuildResult } from "../../ports/build.ts";

/** The builder as our API serves it: what cannot travel (open streams, functions) is left out of the input. */
export interface RemoteBuilder extends Omit<Builder, "roots"> {
  /** The body is the context's tar; `input.context` is ignored. */
  buildTar(tar: Readable, input: Omit<BuildInput, "context">): Promise<BuildResult>;
}

export function serveBuilder(builder: Builder): RemoteBuilder {
  return {
    build: input => builder.build(input),
    buildTar: (tar, input) => builder.build({ ...input, context: { kind: "tar", stream: tar } }),
    print: input => builder.print(input),
    cacheUsage: options => builder.cacheUsage(options),
    pruneCache: options => builder.pruneCache(options),
  };
}
