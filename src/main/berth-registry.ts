import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../base/clock.ts";
import { asBerthError, BerthError } from "../base/errors.ts";
import { lineLogger } from "../base/log.ts";
import { formatError } from "../cli/exit.ts";
import { FileLocks } from "../drivers/linux/file-locks.ts";
import { DiskContentStore } from "../image/content/content-store.ts";
import { hashPassword } from "../registry/access.ts";
import { parseRegistryConfig, type RegistryConfig } from "../registry/config.ts";
import { Registry } from "../registry/registry.ts";
import { sweep } from "../registry/sweep.ts";
import { collectBodyGarbage } from "./body-garbage.ts";
import { listenRegistry } from "./listen-registry.ts";
import { openUpstream } from "./open-upstream.ts";
import { version } from "./version.ts";

const usage = `Usage: berth-registry COMMAND [OPTIONS]

  serve      Serve images (OCI distribution specification 1.1)
  collect    Remove what no image needs; may run while it serves
  password   Read a password from stdin, print it for the configuration file

Options of serve and collect:
  --root DIR       where images are kept       (default /var/lib/berth-registry)
  --config FILE    configuration (JSON)        (default: an open registry)
  --listen H:P     address to listen on        (default 127.0.0.1:5000)
  --untagged       collect: manifests without a tag too

Example:
  berth-registry serve --root /srv/images --listen 0.0.0.0:5000 --config /etc/berth/registry.json
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      root: { type: "string" },
      config: { type: "string" },
      listen: { type: "string" },
      untagged: { type: "boolean" },
      help: { type: "boolean" },
      version: { type: "boolean" },
    },
  });
  if (values.version || positionals[0] === "version") return print(`berth-registry ${version}\n`);
  const command = positionals[0];
  if (values.help || command === undefined) return print(usage);
  if (command === "password") return print(`${hashPassword((await readStdin()).replace(/\r?\n$/, ""))}\n`);
  const config =
    values.config === undefined
      ? parseRegistryConfig("{}", "")
      : parseRegistryConfig(readFileSync(values.config, "utf8"), values.config);
  const root = values.root ?? "/var/lib/berth-registry";
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const locks = new FileLocks(systemClock);
  const content = new DiskContentStore({ root: join(root, "content"), locks, clock: systemClock });
  const registry = new Registry({
    root,
    content,
    locks,
    clock: systemClock,
    upstream: config.mirror === undefined ? undefined : await openUpstream(config.mirror, process.env),
  });
  if (command === "serve") return serve(registry, { ...config, listen: values.listen ?? config.listen }, root);
  if (command === "collect") {
    const removed = await registry.collect({ untagged: values.untagged });
    const freed = await sweep(registry, content, systemClock.now_ms());
    return print(
      `${removed.manifests} manifests, ${removed.blobs} links and ${removed.uploads} uploads removed; ${freed.count} blobs, ${freed.bytes} bytes freed\n`,
    );
  }
  throw new BerthError("invalid", `"${command}" is no command`, { hint: "berth-registry --help" });
}

async function serve(registry: Registry, config: RegistryConfig, root: string): Promise<void> {
  collectBodyGarbage();
  const logger = lineLogger(process.env["BERTH_DEBUG"] ? "debug" : "info", systemClock.now_ms, line =>
    process.stderr.write(line),
  );
  const server = await listenRegistry({ registry, config, root, logger });
  logger.log("info", "registry is ready", {
    listen: config.listen,
    root,
    access: config.access === undefined ? "open" : (config.access.scheme ?? "token"),
    mirror: config.mirror,
  });
  for (const name of ["SIGTERM", "SIGINT"] as const)
    process.once(name, () => void server[Symbol.asyncDispose]().then(() => process.exit(0)));
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function print(text: string): void {
  process.stdout.write(text);
}

main().catch(thrown => {
  process.stderr.write(formatError("berth-registry", asBerthError(thrown)));
  process.exit(125);
});
