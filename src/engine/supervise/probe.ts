import { asBerthError } from "../../base/errors.ts";
import type { HealthProbe } from "../../model/container.ts";
import type { EngineContext } from "../context.ts";
import { type EffectiveHealthCheck, keptOutput_bytes, probeArguments } from "../health-transition.ts";
import { buildExecProcess } from "../spec/build-exec-process.ts";
import { userFiles } from "../start/runtime-spec.ts";
import type { ContainerConfig } from "../state/record.ts";

const failedExitCode = 1;
/** As Docker shows a probe that took too long. */
const timeoutExitCode = -1;

/** Runs the check in the container once. Never throws: what cannot be run is a failure with its reason as output. */
export async function runProbe(
  context: EngineContext,
  config: ContainerConfig,
  check: EffectiveHealthCheck,
): Promise<HealthProbe> {
  const { clock } = context;
  const startedAt = new Date(clock.now_ms()).toISOString();
  const result = await run(context, config, check).catch(thrown => ({
    exitCode: failedExitCode,
    output: asBerthError(thrown).message,
  }));
  return { startedAt, endedAt: new Date(clock.now_ms()).toISOString(), ...result };
}

async function run(context: EngineContext, config: ContainerConfig, check: EffectiveHealthCheck) {
  const { paths, store, host, runtime, clock, settings } = context;
  const { pid } = store.state(config.id);
  const args = probeArguments(check.test, config.process.shell);
  const exec = await runtime.exec({
    id: config.id,
    execId: context.newId(),
    bundle: paths.bundle(config.id),
    process: {
      ...buildExecProcess({
        exec: { args },
        container: { spec: config.spec, process: config.process, hostname: config.hostname },
        ...(await userFiles(context, `/proc/${pid}/root`)),
        host: host.facts(),
        noNewPrivileges: settings?.noNewPrivileges,
      }),
    },
    tty: false,
    stdin: false,
    detach: false,
  });
  await using _exec = exec;
  let timedOut = false;
  const cancel = clock.after(check.timeout_ms, () => {
    timedOut = true;
    endProcess(exec.pid);
  });
  const output = collect(exec.output);
  const exitCode = await exec.exit.finally(cancel);
  if (!timedOut) return { exitCode, output: await output };
  return { exitCode: timeoutExitCode, output: `Health check exceeded timeout (${check.timeout_ms / 1000}s)` };
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}

async function collect(output: AsyncIterable<{ data: Buffer }>): Promise<string> {
  const parts: Buffer[] = [];
  let size_bytes = 0;
  for await (const { data } of output) {
    if (size_bytes < keptOutput_bytes) parts.push(data.subarray(0, keptOutput_bytes - size_bytes));
    size_bytes += data.length;
  }
  return Buffer.concat(parts).toString("utf8");
}
