/** Prints one line for each thing shown, and remembers whether all of them held. */
export class Report {
  #passed = 0;
  #failed = 0;
  #section = '';

  /** What the following lines are about. */
  section(title: string): void {
    this.#section = title;
    console.log(`\n${title}`);
  }

  /**
   * Shows one thing: `work` throws when it does not hold, and may resolve to what was measured. A failure is printed
   * and does not keep the following ones from being tried; resolves to whether it held.
   */
  async check(claim: string, work: () => Promise<string | undefined>): Promise<boolean> {
    const startMs = performance.now();
    try {
      const measured = await work();
      this.#passed += 1;
      const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
      console.log(`ok   ${claim}${measured === undefined ? '' : ` — ${measured}`} (${seconds} s)`);
      return true;
    } catch (error) {
      this.#failed += 1;
      console.log(`FAIL ${claim}\n     ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return false;
    }
  }

  /** Something that could not be shown here, and why. It counts as a failure where nothing may be missing. */
  skip(claim: string, reason: string): void {
    const isStrict = process.env['MEDLEDGER_TEST_STRICT'] === '1';
    if (isStrict) this.#failed += 1;
    console.log(`${isStrict ? 'FAIL' : 'SKIP'} ${claim}: ${reason}`);
  }

  /** Something that ended a whole section. */
  broken(error: unknown): void {
    this.#failed += 1;
    console.log(`FAIL ${this.#section} broke off\n     ${error instanceof Error ? error.stack : String(error)}`);
  }

  /** Prints the totals; returns the exit status. */
  end(): number {
    console.log(`\n${this.#passed} shown, ${this.#failed} failed`);
    return this.#failed === 0 ? 0 : 1;
  }
}
