import { BerthError } from "../../base/errors.ts";
import type {
  Container,
  ContainerSpec,
  ContainerState,
  ContainerSummary,
  PublishedPort,
} from "../../model/container.ts";
import { ryukImage } from "./ryuk-image.ts";
import { type RyukOptions, RyukServer } from "./ryuk-server.ts";

const ryukPort = 8080;

/** A container that a client believes to have started: its port is served by this process. */
export class VirtualContainer {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly name: string;
  readonly #createdAt: string;
  readonly #options: RyukOptions;
  #server: RyukServer | undefined;
  #port: PublishedPort | undefined;
  #startedAt: string | undefined;
  #ended = Promise.withResolvers<void>();

  constructor(id: string, spec: ContainerSpec, options: RyukOptions) {
    this.id = id;
    this.spec = spec;
    this.name = spec.name || `ryuk-${id.slice(0, 12)}`;
    this.#options = options;
    this.#createdAt = this.#now();
  }

  get running(): boolean {
    return this.#server !== undefined;
  }

  /** Resolves when it has stopped. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    if (this.#server) throw new BerthError("unchanged", `container ${this.name} runs already`);
    const asked = this.spec.ports.find(port => port.containerPort === ryukPort);
    const hostAddress = asked?.hostAddress || "0.0.0.0";
    const server = new RyukServer({
      ...this.#options,
      onAbandoned: filters => {
        this.stop();
        this.#options.onAbandoned(filters);
      },
    });
    const hostPort = await server.listen(hostAddress, asked?.hostPort ?? 0);
    this.#server = server;
    this.#startedAt = this.#now();
    this.#port = { containerPort: ryukPort, protocol: "tcp", hostAddress, hostPort };
  }

  stop(): void {
    this.#server?.close();
    this.#server = undefined;
    this.#port = undefined;
    this.#ended.resolve();
  }

  inspect(): Container {
    const { env, user = "", workingDir = "/" } = this.spec;
    return {
      ...{ id: this.id, name: this.name, createdAt: this.#createdAt, imageId: ryukImage(this.spec.image).id },
      ...{ spec: this.spec, labels: this.spec.labels, state: this.#state(), publishedPorts: this.#ports() },
      process: { args: ["ryuk"], env, workingDir, user },
      exposedPorts: [`${ryukPort}/tcp`],
      ...{ stopSignal: "SIGTERM", stopTimeout_ms: 0, endpoints: [], mounts: [], runtime: "berthd" },
      ...{ logPath: "", hostnamePath: "", hostsPath: "", resolvConfPath: "" },
      ...{ rootfsPath: "", upperPath: "", netnsPath: "" },
    };
  }

  summary(): ContainerSummary {
    const { id, name, createdAt, imageId, labels, state, publishedPorts, exposedPorts } = this.inspect();
    return {
      ...{ id, name, createdAt, imageId, labels, state, publishedPorts, exposedPorts },
      ...{ image: this.spec.image, args: ["ryuk"], endpoints: [], mounts: [], networkMode: "default" },
    };
  }

  #ports(): PublishedPort[] {
    return this.#port ? [this.#port] : [];
  }

  #state(): ContainerState {
    const status = this.running ? "running" : this.#startedAt ? "exited" : "created";
    return {
      ...{ status, exitCode: 0, oomKilled: false, error: "", restartCount: 0, stoppedByUser: false },
      pid: this.running ? 1 : 0,
      startedAt: this.#startedAt,
    };
  }

  #now(): string {
    return new Date(this.#options.clock.now_ms()).toISOString();
  }
}
