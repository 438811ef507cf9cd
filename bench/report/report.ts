/** A table: the first column names the row. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A line plot. */
export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Logarithmic y axis: only positive values are drawn. */
  readonly isLogarithmic: boolean;
  readonly series: readonly { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
  /** A value of x to mark, such as the knee. */
  readonly mark?: { readonly x: number; readonly name: string };
}

/** A part of a report, for the terminal and the page alike. */
export interface Section {
  readonly title: string;
  readonly notes: readonly string[];
  readonly tables: readonly Table[];
  readonly plots: readonly Plot[];
}

/** The section as text, without its plots. */
export function sectionText({ title, notes, tables }: Section): string {
  const parts = [`${title}\n${'='.repeat(title.length)}`, ...notes, ...tables.map(tableText)];
  return `${parts.join('\n\n')}\n`;
}

/** The table in columns of even width, numbers to the right. */
function tableText({ title, columns, rows }: Table): string {
  const cells = [columns, ...rows.map((row) => row.map(cellText))];
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const isNumber = columns.map((_, column) => column > 0 && rows.every((row) => typeof row[column] === 'number'));
  const lines = cells.map((row) =>
    widths
      .map((width, column) => {
        const text = row[column] ?? '';
        return isNumber[column] ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return [title, ...lines.slice(0, 1), widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1)].join(
    '\n',
  );
}

/** A number to about three significant digits; text as it is. */
export function cellText(value: string | number): string {
  if (typeof value === 'string') return value;
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return String(Math.round(value));
  if (size >= 10) return value.toFixed(1);
  return size >= 1 ? value.toFixed(2) : value.toFixed(3);
}
