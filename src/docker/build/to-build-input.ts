import { BerthError } from "../../base/errors.ts";
import type { BuildContext, BuildInput, BuildNetwork, CacheLocation } from "../../ports/build.ts";
import type { Exchange } from "../http/exchange.ts";
import { Fields } from "../http/fields.ts";
import type { Query } from "../http/query.ts";
import { buildAuth } from "../images/registry-auth.ts";
import { platformFrom } from "../images/transfer-operations.ts";

const networks = ["default", "host", "none"] as const;

/** The query of POST /build, with its body as the context. Throws `unsupported` on what the builder does not do. */
export function toBuildInput(exchange: Exchange): BuildInput {
  const { query } = exchange;
  refuseParameters(query);
  const file = query.text("dockerfile");
  return {
    context: contextOf(exchange),
    dockerfile: file === undefined ? undefined : { path: file },
    tags: query.all("t"),
    args: buildArguments(query),
    labels: texts(query, "labels"),
    target: query.text("target"),
    noCache: query.flag("nocache"),
    pull: query.flag("pull"),
    platform: platformFrom(query.text("platform")),
    cacheFrom: query
      .list("cachefrom")
      .filter(entry => typeof entry === "string")
      .map(cacheLocation),
    network: networkOf(query.text("networkmode")),
    extraHosts: query.all("extrahosts").flatMap(text => text.split(",")),
    shmSize_bytes: query.number("shmsize") || undefined,
    ulimits: query.list("ulimits").map((entry, index) => ulimit(new Fields(entry, `ulimits[${index}]`))),
    cgroupParent: query.text("cgroupparent"),
    resources: {
      memory_bytes: query.number("memory") || undefined,
      memorySwap_bytes: query.number("memswap") || undefined,
      cpuShares: query.number("cpushares") || undefined,
      cpuPeriod_us: query.number("cpuperiod") || undefined,
      cpuQuota_us: query.number("cpuquota") || undefined,
      cpusetCpus: query.text("cpusetcpus"),
      cpusetMems: query.text("cpusetmems"),
    },
    auth: buildAuth(exchange),
  };
}

function contextOf(exchange: Exchange): BuildContext {
  const remote = exchange.query.text("remote");
  if (remote === undefined) return { kind: "tar", stream: exchange.upload() };
  if (remote === "client-session") {
    throw new BerthError("unsupported", "remote=client-session needs BuildKit, which is not served", {
      hint: "set DOCKER_BUILDKIT=0",
    });
  }
  return { kind: "url", url: remote };
}

function refuseParameters(query: Query): void {
  const refused: [boolean, string, string][] = [
    [query.flag("squash"), "squash", "use several stages and COPY --from"],
    [query.list("securityopt").length > 0, "securityopt", "leave it out"],
    [query.list("outputs").length > 0, "outputs", "use 'berth build --output', or docker save"],
  ];
  for (const [asked, name, hint] of refused) {
    if (asked) throw new BerthError("unsupported", `build: ${name} is not served`, { hint });
  }
}

/** {"NAME": "value", "FROM_ENVIRONMENT": null}: a null leaves the Dockerfile's default. */
function buildArguments(query: Query): Record<string, string> {
  return texts(query, "buildargs");
}

function texts(query: Query, name: string): Record<string, string> {
  const fields = query.object(name);
  const known = (fields?.names() ?? []).map(key => [key, fields!.text(key)] as const);
  return Object.fromEntries(known.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

const cacheLocation = (reference: string): CacheLocation => ({ type: "registry", reference });

function networkOf(mode: string | undefined): BuildNetwork | undefined {
  if (mode === undefined || mode === "bridge") return undefined;
  const known = networks.find((name): name is BuildNetwork => name === mode);
  if (known) return known;
  throw new BerthError("unsupported", `build: networkmode=${mode} is not served`, {
    hint: `use ${networks.join(", ")}`,
  });
}

function ulimit(fields: Fields) {
  const soft = fields.number("Soft") ?? 0;
  return { name: fields.text("Name") ?? "", soft, hard: fields.number("Hard") ?? soft };
}
