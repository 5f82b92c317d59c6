import { readFileSync } from "node:fs";
import { BerthError, isCode } from "../../base/errors.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { ContainerStats } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { isRunning, look } from "../lifecycle/look.ts";
import { networkMode } from "../lifecycle/namespaces.ts";
import { cgroupPath } from "../start/runtime-spec.ts";

/** One reading. Throws `conflict` when it does not run. */
export async function containerStats(
  context: EngineContext,
  reference: string,
  { signal }: CallOptions,
): Promise<ContainerStats> {
  const id = context.store.find(reference);
  const config = context.store.config(id);
  const seen = look(context, id);
  signal?.throwIfAborted();
  try {
    if (!isRunning(seen)) throw new BerthError("not_found", "it has ended");
    const counted = await context.cgroups.stats(cgroupPath(context, config));
    const own = networkMode(config.spec).kind !== "host";
    return {
      ...counted,
      read: new Date(context.clock.now_ms()).toISOString(),
      networks: own ? networkCounters(seen.stored.pid) : {},
    };
  } catch (thrown) {
    if (!isCode(thrown, "not_found")) throw thrown;
    throw new BerthError("conflict", `container ${config.name} is not running, so there is nothing to measure`);
  }
}

/** proc(5), /proc/<pid>/net/dev: receive bytes packets errs drop fifo frame compressed multicast, then the same eight for transmit. */
export function networkCounters(pid: number): ContainerStats["networks"] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/net/dev`, "utf8");
  } catch {
    return {};
  }
  const lines = text.split("\n").slice(2).filter(Boolean);
  const counters = lines.map(line => {
    const [name = "", rest = ""] = line.split(":");
    const n = rest.trim().split(/\s+/).map(Number);
    const received = { rxBytes: n[0]!, rxPackets: n[1]!, rxErrors: n[2]!, rxDropped: n[3]! };
    const sent = { txBytes: n[8]!, txPackets: n[9]!, txErrors: n[10]!, txDropped: n[11]! };
    return [name.trim(), { ...received, ...sent }] as const;
  });
  return Object.fromEntries(counters.filter(([name]) => name !== "lo"));
}
