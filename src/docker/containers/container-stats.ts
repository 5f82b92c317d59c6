import type { Clock } from "../../base/clock.ts";
import type { ContainerStats } from "../../ports/engine.ts";
import { noTime } from "./container-state.ts";

const interval_ms = 1000;

/** Readings as Docker sends them, each with the one before, from which clients compute their percentages. */
export async function* statsOf(
  read: () => Promise<ContainerStats>,
  about: { id: string; name: string },
  options: { stream: boolean; oneShot: boolean; clock: Clock; signal: AbortSignal },
): AsyncGenerator<object> {
  const { stream, oneShot, clock, signal } = options;
  let before: ContainerStats | undefined;
  if (!oneShot) {
    before = await read();
    if (!stream) await clock.sleep(interval_ms, { signal });
    // A first answer at once: the client's screen is empty until then.
    else yield statsObject(before, undefined, about);
  }
  do {
    if (stream) await clock.sleep(interval_ms, { signal });
    const now = await read();
    yield statsObject(now, before, about);
    before = now;
  } while (stream);
}

function statsObject(now: ContainerStats, before: ContainerStats | undefined, about: { id: string; name: string }) {
  return {
    name: `/${about.name}`,
    id: about.id,
    read: now.read,
    preread: before?.read ?? noTime,
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuOf(now),
    precpu_stats: before ? cpuOf(before) : emptyCpu,
    memory_stats: {
      usage: now.memoryUsage_bytes,
      ...(now.memoryMax_bytes === undefined ? {} : { max_usage: now.memoryMax_bytes }),
      ...(now.memoryFailures === undefined ? {} : { failcnt: now.memoryFailures }),
      stats: now.memoryDetails,
      limit: now.memoryLimit_bytes,
    },
    pids_stats: { current: now.pids, ...(now.pidsLimit === undefined ? {} : { limit: now.pidsLimit }) },
    blkio_stats: blockIoOf(now),
    networks: Object.fromEntries(
      Object.entries(now.networks).map(([name, counters]) => [
        name,
        {
          rx_bytes: counters.rxBytes,
          rx_packets: counters.rxPackets,
          rx_errors: counters.rxErrors,
          rx_dropped: counters.rxDropped,
          tx_bytes: counters.txBytes,
          tx_packets: counters.txPackets,
          tx_errors: counters.txErrors,
          tx_dropped: counters.txDropped,
        },
      ]),
    ),
  };
}

const noThrottling = { periods: 0, throttled_periods: 0, throttled_time: 0 };
const emptyCpu = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: noThrottling,
};

function cpuOf(stats: ContainerStats) {
  const { periods, throttledPeriods, throttled_ns } = stats.throttling;
  return {
    cpu_usage: {
      total_usage: stats.cpuTotal_ns,
      ...(stats.cpuPerCore_ns ? { percpu_usage: stats.cpuPerCore_ns } : {}),
      usage_in_kernelmode: stats.cpuKernel_ns,
      usage_in_usermode: stats.cpuUser_ns,
    },
    system_cpu_usage: stats.systemCpu_ns,
    online_cpus: stats.onlineCpus,
    throttling_data: { periods, throttled_periods: throttledPeriods, throttled_time: throttled_ns },
  };
}

function blockIoOf({ blockIo }: ContainerStats) {
  const entries = (pick: (entry: ContainerStats["blockIo"][number]) => number) =>
    blockIo.map(entry => ({ major: entry.major, minor: entry.minor, op: entry.op.toLowerCase(), value: pick(entry) }));
  return {
    io_service_bytes_recursive: entries(entry => entry.bytes),
    io_serviced_recursive: entries(entry => entry.operations),
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  };
}
