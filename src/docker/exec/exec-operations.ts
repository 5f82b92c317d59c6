import { asBerthError, BerthError } from "../../base/errors.ts";
import type { Session } from "../../ports/engine.ts";
import { terminalSize } from "../containers/life-operations.ts";
import type { DockerContext } from "../docker-context.ts";
import type { Exchange } from "../http/exchange.ts";
import { failure } from "../http/failure.ts";
import type { Operation } from "../http/operation.ts";
import { parseDetachKeys } from "../streams/detach-keys.ts";
import { frame, streamType } from "../streams/frame.ts";
import { joinSession } from "../streams/hijacked-session.ts";

export const execOperations: Operation[] = [
  {
    id: "ContainerExec",
    method: "POST",
    path: "/containers/{id}/exec",
    summary: "Create an exec instance",
    handle: createExec,
  },
  {
    id: "ExecStart",
    method: "POST",
    path: "/exec/{id}/start",
    summary: "Start an exec instance",
    handle: startExec,
  },
  {
    id: "ExecResize",
    method: "POST",
    path: "/exec/{id}/resize",
    summary: "Resize an exec instance",
    query: ["h", "w"],
    handle: async ({ engine }, exchange) => {
      const { rows, columns } = terminalSize(exchange);
      await engine.containers.resizeExec(exchange.param("id"), rows, columns, exchange);
      exchange.empty(200);
    },
  },
  {
    id: "ExecInspect",
    method: "GET",
    path: "/exec/{id}/json",
    summary: "Inspect an exec instance",
    handle: inspectExec,
  },
];

async function createExec({ engine }: DockerContext, exchange: Exchange): Promise<void> {
  const body = await exchange.body();
  const args = body.texts("Cmd") ?? [];
  if (args.length === 0) throw new BerthError("invalid", "No exec command specified");
  const detachKeys = body.text("DetachKeys") || undefined;
  parseDetachKeys(detachKeys);
  const id = await engine.containers.createExec(
    exchange.param("id"),
    {
      ...{ args, detachKeys },
      env: body.texts("Env"),
      workingDir: body.text("WorkingDir") || undefined,
      user: body.text("User") || undefined,
      tty: body.flag("Tty"),
      stdin: body.flag("AttachStdin"),
      privileged: body.flag("Privileged"),
    },
    exchange,
  );
  exchange.json({ Id: id }, 201);
}

async function startExec({ engine }: DockerContext, exchange: Exchange): Promise<void> {
  const id = exchange.param("id");
  const body = await exchange.body();
  const { spec } = await engine.containers.inspectExec(id);
  const [rows, columns] = body.asksFor("ConsoleSize") ? sizeOf(body.numbers("ConsoleSize")) : [];
  const detach = body.flag("Detach") ?? false;
  const tty = body.flag("Tty") ?? spec.tty;
  const keys = parseDetachKeys(spec.detachKeys);
  let session: Session | undefined;
  try {
    session = await engine.containers.startExec(id, { detach, tty, rows, columns });
  } catch (thrown) {
    // A program that cannot be run is told in its output, with its exit code in the exec's state.
    if (detach || asBerthError(thrown).details?.["exitCode"] === undefined) throw thrown;
    const text = Buffer.from(`${failure(thrown).message}\r\n`);
    exchange.hijack(streamType(tty ?? false, exchange.version)).end(tty ? text : frame("stdout", text));
    return;
  }
  if (session === undefined) return exchange.empty(200);
  const socket = exchange.hijack(streamType(session.tty, exchange.version));
  await joinSession(session, { output: socket, input: socket, detachKeys: keys });
}

function sizeOf(numbers: number[]): [number, number] {
  const [rows = 0, columns = 0] = numbers;
  return [rows, columns];
}

async function inspectExec({ engine }: DockerContext, exchange: Exchange): Promise<void> {
  const { id, containerId, spec, running, pid, exitCode } = await engine.containers.inspectExec(exchange.param("id"));
  const [entrypoint = "", ...args] = spec.args;
  exchange.json({
    ID: id,
    Running: running,
    ExitCode: exitCode ?? null,
    ProcessConfig: {
      tty: spec.tty ?? false,
      entrypoint,
      arguments: args,
      privileged: spec.privileged ?? false,
      ...(spec.user ? { user: spec.user } : {}),
    },
    OpenStdin: spec.stdin ?? false,
    OpenStderr: true,
    OpenStdout: true,
    CanRemove: !running && exitCode !== undefined,
    ContainerID: containerId,
    DetachKeys: "",
    Pid: pid,
  });
}
