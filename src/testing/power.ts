/** The electricity of a simulated process: it fails at a chosen step, and from then on nothing that the process began ever comes back. */
export class Power {
  steps = 0;
  alive = true;
  readonly log: string[] = [];
  readonly #failAt: number;
  readonly #onFailure: () => void;

  /** Fails just before step `failAt` (counted from 1) takes effect; 0 never does. */
  constructor(failAt = 0, onFailure: () => void = () => {}) {
    this.#failAt = failAt;
    this.#onFailure = onFailure;
  }

  /** Every effect on the world passes here, once before it and once after it. */
  async step(name: string): Promise<void> {
    if (!this.alive) return never();
    this.steps++;
    this.log.push(name);
    if (this.steps === this.#failAt) {
      this.cut();
      return never();
    }
  }

  cut(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#onFailure();
  }

  /** For reads: a dead process learns nothing. */
  async read<T>(work: () => Promise<T> | T): Promise<T> {
    if (!this.alive) return never();
    const value = await work();
    return this.alive ? value : never();
  }

  async effect<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    await this.step(name);
    const value = await work();
    await this.step(`${name} done`);
    return value;
  }
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}
