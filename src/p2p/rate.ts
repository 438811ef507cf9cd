/** A token bucket: `perSecond` on average, `burst` at once. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #nowMs: () => number;
  /** May be negative after a charge that was larger than what was left. */
  #tokens: number;
  #updatedMs: number;

  /** `nowMs` is a monotonic clock in milliseconds. */
  constructor(perSecond: number, burst: number, nowMs: () => number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#nowMs = nowMs;
    this.#tokens = burst;
    this.#updatedMs = nowMs();
  }

  /** Takes `amount` whether it is there or not; returns the milliseconds until the debt is paid, 0 when there is none. */
  charge(amount: number): number {
    this.#refill();
    this.#tokens -= amount;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.#perSecond) * 1_000);
  }

  /** Takes `amount` if nothing is owed; false otherwise. */
  take(amount: number): boolean {
    this.#refill();
    if (this.#tokens <= 0) return false;
    this.#tokens -= amount;
    return true;
  }

  #refill(): void {
    const now = this.#nowMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#updatedMs) / 1_000) * this.#perSecond);
    this.#updatedMs = now;
  }
}
