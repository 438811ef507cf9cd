/** Where a command writes: people read text, programs read JSON with `--json`. */
export interface Output {
  readonly json: boolean;
  /** Prints the result: `value` as one line of JSON, or `text` for people. */
  result(value: unknown, text: string): void;
  /** A line about progress, on standard error, so that results stay clean. */
  note(text: string): void;
}

/** An output on the process's own streams. */
export function makeOutput(json: boolean): Output {
  return {
    json,
    result(value, text) {
      process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
    },
    note(text) {
      process.stderr.write(`${text}\n`);
    },
  };
}

/** A table with aligned columns; numbers to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [
    header,
    ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell))),
  ];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const isNumeric = header.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (isNumeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
