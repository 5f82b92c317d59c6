import { BerthError, isCode } from "../../base/errors.ts";
import { familiarName, formatReference, parseReference, withDefaultTag } from "../../image/reference.ts";
import type { Platform } from "../../model/image.ts";
import type { DockerContext } from "../docker-context.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Operation } from "../http/operation.ts";
import { progressLines } from "./progress-lines.ts";
import { referenceFrom } from "./reference-from.ts";
import { requestAuth } from "./registry-auth.ts";

const tarType = "application/x-tar";

/** Images on their way in and out. */
export const imageTransferOperations: Operation[] = [
  {
    id: "ImageCreate",
    method: "POST",
    path: "/images/create",
    summary: "Create an image",
    query: ["fromImage", "fromSrc", "repo", "tag", "message", "changes", "platform"],
    note: "fromSrc takes the body (-), not a URL; without a tag it is latest, not all tags",
    handle: async (docker, exchange) => {
      if (exchange.query.text("fromSrc")) await importImage(docker, exchange);
      else await pullImage(docker, exchange);
    },
  },
  {
    id: "ImagePush",
    method: "POST",
    path: "/images/{name}/push",
    summary: "Push an image",
    query: ["tag"],
    handle: pushImage,
  },
  {
    id: "ImageGet",
    method: "GET",
    path: "/images/{name}/get",
    summary: "Export an image",
    handle: async ({ engine }, exchange) => {
      await exchange.stream(await engine.images.save([exchange.param("name")], exchange), tarType);
    },
  },
  {
    id: "ImageGetAll",
    method: "GET",
    path: "/images/get",
    summary: "Export several images",
    query: ["names"],
    handle: async ({ engine }, exchange) => {
      const names = exchange.query.all("names").flatMap(text => text.split(","));
      if (names.length === 0) throw new BerthError("invalid", "the query parameter names is missing");
      await exchange.stream(await engine.images.save(names, exchange), tarType);
    },
  },
  {
    id: "ImageLoad",
    method: "POST",
    path: "/images/load",
    summary: "Import images",
    query: ["quiet"],
    handle: loadImages,
  },
];

export function platformFrom(text: string | undefined): Platform | undefined {
  if (!text) return undefined;
  const [os = "linux", architecture = "", variant] = text.startsWith("{") ? fromJson(text) : text.split("/");
  return { os, architecture, variant };
}

/** Since 1.49 clients may send the platform as JSON. */
function fromJson(text: string): (string | undefined)[] {
  try {
    const { os, architecture, variant } = JSON.parse(text) as Partial<Platform>;
    return [os, architecture, variant];
  } catch (cause) {
    throw new BerthError("invalid", `platform: ${text} is not JSON`, { cause });
  }
}

/** Where no registry answers and Debian's packages can make the image, it is made: as `berth run` does. */
async function pullImage({ engine, clock }: DockerContext, exchange: Exchange): Promise<void> {
  const { query, signal } = exchange;
  const asked = referenceFrom(query.required("fromImage"), query.text("tag"));
  const reference = withDefaultTag(parseReference(asked));
  const name = familiarName(reference);
  const before = await engine.images.find(name, exchange);
  const lines = exchange.lines();
  const onProgress = progressLines(lines, clock.now_ms);
  try {
    const options = { platform: platformFrom(query.text("platform")), auth: requestAuth(exchange), onProgress, signal };
    const image = await engine.images.pull(formatReference(reference), options);
    const digest = image.repoDigests.find(known => known.startsWith(`${reference.domain}/${reference.path}@`));
    await lines.write({ status: `Digest: ${digest?.split("@")[1] ?? image.manifest.digest}` });
    const state = before?.id === image.id ? "Image is up to date" : "Downloaded newer image";
    await lines.write({ status: `Status: ${state} for ${name}` });
  } catch (thrown) {
    const unreachable = isCode(thrown, "unavailable", "timeout");
    if (!unreachable || signal.aborted || !(await engine.images.canBootstrap(name))) throw thrown;
    await lines.write({ status: `No registry answers; making ${name} from Debian's packages` });
    await engine.images.bootstrap(name, { onProgress, signal });
    await lines.write({ status: `Status: Made ${name} on this host` });
  }
  lines.end();
}

async function importImage({ engine }: DockerContext, exchange: Exchange): Promise<void> {
  const { query, signal } = exchange;
  if (query.text("fromSrc") !== "-") {
    throw new BerthError("unsupported", "fromSrc: importing from a URL is not served", {
      hint: "fetch it yourself and send it: curl URL | docker import - NAME",
    });
  }
  const repository = query.text("repo");
  const changes = query.all("changes").flatMap(text => text.split("\n").filter(Boolean));
  if (changes.length > 0) {
    throw new BerthError("unsupported", "changes: an import takes no Dockerfile instructions", {
      hint: "build an image FROM the imported one",
    });
  }
  const image = await engine.images.import(exchange.upload(), {
    reference: repository && referenceFrom(repository, query.text("tag")),
    message: query.text("message"),
    platform: platformFrom(query.text("platform")),
    signal,
  });
  const lines = exchange.lines();
  await lines.write({ status: image.id });
  lines.end();
}

/** One tag; without a tag all of the repository's that are here. */
async function pushImage({ engine, clock }: DockerContext, exchange: Exchange): Promise<void> {
  const { query, signal } = exchange;
  const tag = query.text("tag");
  const named = parseReference(referenceFrom(exchange.param("name"), tag));
  const repository = `${named.domain}/${named.path}`;
  const references = named.tag || named.digest ? [formatReference(named)] : await tagsOf(repository);
  const lines = exchange.lines();
  const auth = requestAuth(exchange);
  // A tag that is not here is known before anything is sent.
  for (const reference of references) await engine.images.get(reference, exchange);
  await lines.write({ status: `The push refers to repository [${repository}]` });
  for (const reference of references) {
    const onProgress = progressLines(lines, clock.now_ms);
    const { digest, size } = await engine.images.push(reference, { auth, signal, onProgress });
    const pushed = parseReference(reference).tag ?? "";
    await lines.write({ status: `${pushed}: digest: ${digest} size: ${size}` });
    await lines.write({ progressDetail: {}, aux: { Tag: pushed, Digest: digest, Size: size } });
  }
  lines.end();

  async function tagsOf(wanted: string): Promise<string[]> {
    const images = await engine.images.list(exchange);
    const found = images.flatMap(({ tags }) => tags).filter(known => known.replace(/:[^/:]+$/, "") === wanted);
    if (found.length > 0) return found;
    throw new BerthError("not_found", `An image does not exist locally with the tag: ${familiarName(wanted)}`);
  }
}

async function loadImages({ engine, clock }: DockerContext, exchange: Exchange): Promise<void> {
  const { signal, query } = exchange;
  const lines = exchange.lines();
  const onProgress = query.flag("quiet") ? undefined : progressLines(lines, clock.now_ms);
  for (const { image, names } of await engine.images.load(exchange.upload(), { onProgress, signal })) {
    if (names.length === 0) await lines.write({ stream: `Loaded image ID: ${image.id}\n` });
    for (const name of names) {
      const isId = name.startsWith("sha256:");
      await lines.write({ stream: isId ? `Loaded image ID: ${name}\n` : `Loaded image: ${familiarName(name)}\n` });
    }
  }
  lines.end();
}
