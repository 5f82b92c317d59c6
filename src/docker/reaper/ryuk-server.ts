import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "../../base/clock.ts";
import type { Filters } from "../../ports/engine.ts";

const lineLimit_chars = 64 * 1024;
const filtersLimit = 1000;

export interface RyukOptions {
  clock: Clock;
  /** How long the first client may take to come, and how long one that has left may take to come back. */
  connect_ms: number;
  reconnect_ms: number;
  /** Called once, when nobody is connected any more: what the clients have named is theirs no longer. */
  onAbandoned: (filters: Filters[]) => void;
  /** Whether clients that come in through this address of ours are served. */
  isOpen: (localAddress: string) => Promise<boolean>;
}

/**
 * Ryuk's protocol (testcontainers/moby-ryuk): a client sends lines of filters as a URL's query ("label=a=b&label=c"), each answered with ACK, and stays
 * connected for as long as it needs what the filters select.
 */
export class RyukServer {
  readonly #options: RyukOptions;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  readonly #filters = new Map<string, Filters>();
  #cancelTimer: () => void = () => {};
  #closed = false;

  constructor(options: RyukOptions) {
    this.#options = options;
    this.#server = createServer(socket => {
      socket.on("error", () => socket.destroy());
      const address = (socket.localAddress ?? "").replace(/^::ffff:/, "");
      options.isOpen(address).then(
        open => (open ? this.#serve(socket) : socket.destroy()),
        () => socket.destroy(),
      );
    });
  }

  /** Returns the port. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port }, resolve);
    });
    this.#expectClient(this.#options.connect_ms);
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    this.#server.close();
    for (const client of this.#clients) client.destroy();
  }

  #expectClient(patience_ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(patience_ms, () => {
      if (this.#closed || this.#clients.size > 0) return;
      this.close();
      this.#options.onAbandoned([...this.#filters.values()]);
    });
  }

  #serve(socket: Socket): void {
    this.#clients.add(socket);
    this.#cancelTimer();
    let pending = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      pending += text;
      const lines = pending.split("\n");
      pending = lines.pop() ?? "";
      if (pending.length > lineLimit_chars) return void socket.destroy();
      for (const line of lines) socket.write(this.#add(line.trim()) ? "ACK\n" : "ERROR\n");
    });
    socket.on("close", () => {
      this.#clients.delete(socket);
      if (this.#clients.size === 0 && !this.#closed) this.#expectClient(this.#options.reconnect_ms);
    });
  }

  /** An empty selection would be everything on the host: it is not taken. */
  #add(line: string): boolean {
    const filters: Filters = {};
    for (const [key, value] of new URLSearchParams(line)) if (value) (filters[key] ??= []).push(value);
    if (!filters["label"]?.length || this.#filters.size >= filtersLimit) return false;
    this.#filters.set(line, filters);
    return true;
  }
}
