/** Adds up the time during which at least one piece of some work was under way. */
export class Stopwatch {
  #running = 0;
  #startedMs = 0;
  #totalMs = 0;

  /** Seconds so far. */
  get seconds(): number {
    return (this.#totalMs + (this.#running > 0 ? performance.now() - this.#startedMs : 0)) / 1_000;
  }

  /** Times a piece of work, which may overlap with others. */
  async time<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#running === 0) this.#startedMs = performance.now();
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#totalMs += performance.now() - this.#startedMs;
    }
  }
}
