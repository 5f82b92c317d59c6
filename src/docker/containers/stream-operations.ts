import { BerthError } from "../../base/errors.ts";
import { parseDuration_ms } from "../../model/duration.ts";
import type { AttachOptions, LogOptions, LogRecord } from "../../ports/engine.ts";
import type { DockerContext } from "../docker-context.ts";
import type { Exchange } from "../http/exchange.ts";
import { writeTo } from "../http/line-writer.ts";
import type { Operation } from "../http/operation.ts";
import { parseDetachKeys } from "../streams/detach-keys.ts";
import { frame, streamType } from "../streams/frame.ts";
import { joinSession } from "../streams/hijacked-session.ts";
import { acceptWebSocket } from "../streams/web-socket.ts";

const attachQuery = ["detachKeys", "logs", "stream", "stdin", "stdout", "stderr"];

/** A container's own streams. */
export const containerStreamOperations: Operation[] = [
  {
    id: "ContainerLogs",
    method: "GET",
    path: "/containers/{id}/logs",
    summary: "Get container logs",
    query: ["follow", "stdout", "stderr", "since", "until", "timestamps", "tail", "details"],
    handle: containerLogs,
  },
  {
    id: "ContainerAttach",
    method: "POST",
    path: "/containers/{id}/attach",
    summary: "Attach to a container",
    query: attachQuery,
    handle: async (docker, exchange) => {
      const { session, keys } = await openSession(docker, exchange, attachOptions(exchange));
      const input = exchange.request.headers["transfer-encoding"] ? exchange.request : undefined;
      const socket = exchange.hijack(streamType(session.tty, exchange.version));
      await joinSession(session, { output: socket, input: input ?? socket, detachKeys: keys });
    },
  },
  {
    id: "ContainerAttachWebsocket",
    method: "GET",
    path: "/containers/{id}/attach/ws",
    summary: "Attach to a container via a websocket",
    query: attachQuery,
    handle: async (docker, exchange) => {
      const asked = attachOptions(exchange);
      // Over a WebSocket there are no frames: both streams come as one, as in Docker.
      const { session, keys } = await openSession(docker, exchange, asked);
      const socket = acceptWebSocket(exchange);
      await joinSession(session, { output: socket, input: socket, detachKeys: keys, unframed: true });
    },
  },
];

function attachOptions({ query }: Exchange): AttachOptions {
  const [logs, stream] = [query.flag("logs"), query.flag("stream")];
  if (!logs && !stream) throw new BerthError("invalid", "either the stream or logs must be asked for");
  return { logs, stream, stdin: query.flag("stdin"), stdout: query.flag("stdout"), stderr: query.flag("stderr") };
}

/** The session outlives HTTP's exchange, so its end is bound to the connection alone, by `joinSession`. */
async function openSession({ engine }: DockerContext, exchange: Exchange, options: AttachOptions) {
  const keys = parseDetachKeys(exchange.query.text("detachKeys"));
  return { keys, session: await engine.containers.attach(exchange.param("id"), options) };
}

async function containerLogs({ engine, clock }: DockerContext, exchange: Exchange): Promise<void> {
  const { query, signal } = exchange;
  const time = (name: string) => query.time_ms(name, clock.now_ms(), parseDuration_ms);
  const options: LogOptions = {
    ...{ stdout: query.flag("stdout"), stderr: query.flag("stderr"), follow: query.flag("follow"), signal },
    ...{ since_ms: time("since"), until_ms: time("until"), tail: tailOf(query.text("tail")) },
  };
  if (!options.stdout && !options.stderr) {
    throw new BerthError("invalid", "Bad parameters: you must choose at least one stream");
  }
  const { spec } = await engine.containers.inspect(exchange.param("id"), exchange);
  if (spec.log.driver === "none") {
    throw new BerthError("unsupported", "configured logging driver does not support reading");
  }
  const records = engine.containers.logs(exchange.param("id"), options);
  const response = exchange.begin(streamType(spec.tty ?? false, exchange.version));
  const stamp = query.flag("timestamps") ? new Timestamps() : undefined;
  for await (const record of records) {
    const data = stamp?.add(record) ?? record.data;
    if (!(await writeTo(response, spec.tty ? data : frame(record.stream, data), signal))) return;
  }
  response.end();
}

/** Lines from the end: "all", a number, or -1 for all. */
function tailOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "all") return undefined;
  const count = Number(text);
  return Number.isInteger(count) && count >= 0 ? count : undefined;
}

/** The time before each line; a line that came in pieces has only one. */
class Timestamps {
  readonly #open = new Set<string>();

  add({ stream, time, data }: LogRecord): Buffer {
    const continues = this.#open.has(stream);
    if (data.at(-1) === 10) this.#open.delete(stream);
    else this.#open.add(stream);
    return continues ? data : Buffer.concat([Buffer.from(`${time} `), data]);
  }
}
