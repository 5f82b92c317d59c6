import { effectiveHealthCheck } from "../engine/health-transition.ts";
import type { Container, PortSpec } from "../model/container.ts";
import type { Service } from "../model/service.ts";
import type { Task } from "../model/task.ts";
import { portsOf } from "./container-spec.ts";
import type { AgentContext } from "./context.ts";
import { ignoreOver } from "./observe.ts";

/** Requests that were accepted just before a task left its service's ports get so long to be answered. */
const drain_ms = 500;

/**
 * The service's ports that its tasks share, for one container: it joins them when it is healthy for the first time (at its start where nothing checks it),
 * and leaves them before it is stopped while others go on. Each call looks at what is, so that it can be made again after a crash.
 */
export class SharedPorts {
  readonly #context: AgentContext;
  readonly #all: PortSpec[];
  readonly #task: Task;

  constructor(context: AgentContext, task: Task, service: Service) {
    this.#context = context;
    this.#task = task;
    this.#all = portsOf(task.app, service);
  }

  /** Before each start: what is checked is not published yet. */
  async prepare(container: Container): Promise<void> {
    const isChecked = effectiveHealthCheck(container.healthCheck) !== undefined;
    await this.#set(container, !isChecked);
  }

  /** The container as it is then: published where it serves. */
  async join(container: Container): Promise<Container> {
    const health = container.state.health?.status ?? "none";
    if (container.state.status !== "running" || (health !== "healthy" && health !== "none")) return container;
    const { containers } = this.#context.engine;
    try {
      if (!(await this.#set(container, true))) return container;
    } catch (thrown) {
      // Another has the port: what nobody can reach does not go on.
      await containers.stop(container.id).catch(ignoreOver);
      throw thrown;
    }
    return await containers.inspect(container.id);
  }

  /** New connections go to other tasks of the service from now on, where there are any; those of before are given time. */
  async leave(container: Container): Promise<void> {
    const { clock, hasPeer, signal } = this.#context;
    if (!hasPeer(this.#task) || !(await this.#set(container, false))) return;
    await clock.sleep(drain_ms, { signal });
  }

  /** Of a stopped container that is kept: it is again as the app file says, for whoever starts it by hand. */
  async restore(container: Container): Promise<void> {
    await this.#set(container, true);
  }

  /** Whether something changed. */
  async #set({ id, spec }: Container, published: boolean): Promise<boolean> {
    if (!this.#all.some(isShared) || spec.ports.some(isShared) === published) return false;
    const ports = published ? this.#all : this.#all.filter(port => !isShared(port));
    await this.#context.engine.containers.update(id, { ports });
    return true;
  }
}

function isShared({ shared }: PortSpec): boolean {
  return shared !== undefined;
}
