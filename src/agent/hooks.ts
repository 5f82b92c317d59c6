import { BerthError } from "../base/errors.ts";
import type { ContainerSpec } from "../model/container.ts";
import type { Hook } from "../model/service.ts";
import type { Engine } from "../ports/engine.ts";
import { hookLabel, taskLabel } from "./labels.ts";

/** Runs a hook in a running container. Throws when it ends with another code than 0. */
export async function runInside(engine: Engine, container: string, hook: Hook, signal: AbortSignal): Promise<void> {
  const spec = {
    args: hook.command,
    env: Object.entries(hook.environment ?? {}).map(([key, value]) => `${key}=${value}`),
    workingDir: hook.workingDir,
    user: hook.user,
    privileged: hook.privileged,
  };
  const id = await engine.containers.createExec(container, spec, { signal });
  await engine.containers.startExec(id, { signal, detach: true });
  const code = await engine.containers.waitExec(id, { signal });
  if (code !== 0) throw new BerthError("conflict", `hook "${hook.command.join(" ")}" ended with code ${code}`);
}

/** Runs a pre_start hook: a container of its own, like the task's, that must end with 0. Nothing of it stays. */
export async function runBefore(engine: Engine, like: ContainerSpec, hook: Hook, signal: AbortSignal): Promise<void> {
  const labels: Record<string, string> = {
    ...like.labels,
    "com.docker.compose.oneoff": "True",
    [hookLabel]: "pre_start",
  };
  delete labels[taskLabel];
  const spec: ContainerSpec = {
    ...like,
    name: undefined,
    image: hook.image ?? like.image,
    entrypoint: [],
    command: hook.command,
    env: [...like.env, ...Object.entries(hook.environment ?? {}).map(([key, value]) => `${key}=${value}`)],
    labels,
    workingDir: hook.workingDir ?? like.workingDir,
    user: hook.user ?? like.user,
    privileged: hook.privileged ?? like.privileged,
    ports: [],
    exposedPorts: [],
    endpoints: like.endpoints?.map(({ network }) => ({ network })),
    healthCheck: { test: ["NONE"] },
  };
  const { id } = await engine.containers.create(spec, { signal });
  try {
    await engine.containers.start(id, { signal });
    const { exitCode } = await engine.containers.wait(id, { signal });
    if (exitCode !== 0) {
      throw new BerthError("conflict", `pre_start hook "${hook.command.join(" ")}" ended with code ${exitCode}`);
    }
  } finally {
    await engine.containers.remove(id, { force: true, volumes: true });
  }
}
