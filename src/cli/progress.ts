/** Shows how far a long command is: a bar on a terminal, a line every few seconds otherwise. */
export interface Progress {
  advance(done: number): void;
  /** Ends the display. */
  close(): void;
}

const LINE_INTERVAL_MS = 3_000;
const BAR_INTERVAL_MS = 100;
const BAR_WIDTH = 30;

/** A progress display for `total` items called `label`, on standard error. */
export function showProgress(label: string, total: number): Progress {
  const isTerminal = process.stderr.isTTY === true;
  const interval = isTerminal ? BAR_INTERVAL_MS : LINE_INTERVAL_MS;
  const startMs = performance.now();
  let shownMs = startMs;
  const show = (done: number) => {
    const seconds = (performance.now() - startMs) / 1_000;
    const rate = seconds > 0 ? Math.round(done / seconds) : 0;
    const share = total === 0 ? 1 : done / total;
    if (!isTerminal) {
      process.stderr.write(`${label}: ${done} of ${total} (${Math.floor(share * 100)} %), ${rate}/s\n`);
      return;
    }
    const filled = Math.round(share * BAR_WIDTH);
    process.stderr.write(
      `\r${label} [${'='.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}] ${done}/${total} ${rate}/s `,
    );
  };
  return {
    advance(done) {
      if (performance.now() - shownMs < interval) return;
      shownMs = performance.now();
      show(done);
    },
    close() {
      if (isTerminal) process.stderr.write('\r\u001b[K');
    },
  };
}
