import { escapeHtml } from './escape-html.ts';
import { plotSvg } from './plot.ts';
import { cellText, type Section, type Table } from './report.ts';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: bold; padding: .3rem 0; }
th, td { padding: .15rem .7rem; border-bottom: 1px solid #ddd; text-align: left; }
td.number { text-align: right; }
svg { width: 100%; height: auto; margin: 1rem 0; }
svg text { fill: #333; font-family: system-ui, sans-serif; }
`;

/** The report as one page that loads nothing from anywhere. */
export function reportPage(title: string, sections: readonly Section[]): string {
  const name = escapeHtml(title);
  const body = sections.map(sectionHtml).join('\n');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${name}</title><style>${STYLE}</style></head>
<body>
<h1>${name}</h1>
${body}
</body>
</html>
`;
}

function sectionHtml({ title, notes, tables, plots }: Section): string {
  return [
    `<h2>${escapeHtml(title)}</h2>`,
    ...notes.map((note) => `<p>${escapeHtml(note)}</p>`),
    ...plots.map(plotSvg),
    ...tables.map(tableHtml),
  ].join('\n');
}

function tableHtml({ title, columns, rows }: Table): string {
  const head = columns.map((column) => `<th>${escapeHtml(column)}</th>`).join('');
  const lines = rows.map((row) => {
    const cells = row.map((cell) =>
      typeof cell === 'number' ? `<td class="number">${cellText(cell)}</td>` : `<td>${escapeHtml(cell)}</td>`,
    );
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<table><caption>${escapeHtml(title)}</caption><tr>${head}</tr>${lines.join('')}</table>`;
}
