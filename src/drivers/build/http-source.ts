import { posix } from "node:path";
import { Readable, Transform } from "node:stream";
import { EnvHttpProxyAgent, fetch } from "undici";
import type { Environment } from "../../base/env.ts";
import { BerthError } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";

export interface FetchedFile {
  body: Readable;
  fileName: string;
  modified_ms?: number;
  contentType: string;
}

const userAgent = "berth-builder";

/** The name that the server gives (RFC 6266), else the last part of the path; never a path itself. */
function fileNameOf(url: string, disposition: string | null): string {
  const given = /filename\*?=(?:UTF-8'')?"?([^";]+)"?/i.exec(disposition ?? "")?.[1];
  const name = posix.basename(
    given === undefined ? decodeURIComponent(new URL(url).pathname) : decodeURIComponent(given),
  );
  return name === "" || name === "." || name === ".." ? "download" : name;
}

/** Fails the stream beyond `limit_bytes`. */
function bounded(url: string, limit_bytes: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > limit_bytes)
        done(new BerthError("exhausted", `downloading ${url}: it is larger than ${limit_bytes} bytes`));
      else done(null, chunk);
    },
  });
}

/** GET with redirects, through the proxies that the environment names. Throws `not_found` for 4xx, `unavailable` for everything that a retry may mend. */
export async function fetchFile(
  url: string,
  environment: Environment,
  { signal, limit_bytes = Number.MAX_SAFE_INTEGER }: CallOptions & { limit_bytes?: number },
): Promise<FetchedFile> {
  const dispatcher = new EnvHttpProxyAgent({
    httpProxy: environment["http_proxy"] ?? environment["HTTP_PROXY"],
    httpsProxy: environment["https_proxy"] ?? environment["HTTPS_PROXY"],
    noProxy: environment["no_proxy"] ?? environment["NO_PROXY"],
  });
  try {
    const response = await fetch(url, { signal, dispatcher, redirect: "follow", headers: { "user-agent": userAgent } });
    if (!response.ok || !response.body) {
      const code = response.status >= 500 || response.status === 429 ? "unavailable" : "not_found";
      throw new BerthError(code, `downloading ${url}: the server answered ${response.status} ${response.statusText}`);
    }
    const modified_ms = Date.parse(response.headers.get("last-modified") ?? "");
    const source = Readable.fromWeb(response.body);
    const limit = bounded(url, limit_bytes);
    source.on("error", thrown => limit.destroy(cut(url, thrown)));
    limit.on("close", () => void dispatcher.close());
    return {
      body: source.pipe(limit),
      fileName: fileNameOf(response.url || url, response.headers.get("content-disposition")),
      modified_ms: Number.isNaN(modified_ms) ? undefined : modified_ms,
      contentType: response.headers.get("content-type") ?? "",
    };
  } catch (thrown) {
    await dispatcher.close();
    signal?.throwIfAborted();
    throw thrown instanceof BerthError ? thrown : cut(url, thrown);
  }
}

function cut(url: string, thrown: unknown): BerthError {
  const cause = thrown instanceof Error ? ((thrown.cause as Error | undefined) ?? thrown) : thrown;
  return new BerthError(
    "unavailable",
    `downloading ${url}: ${cause instanceof Error ? cause.message || cause.name : cause}`,
    { cause: thrown },
  );
}
