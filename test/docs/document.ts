import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Root of the working copy. */
export const ROOT = path.join(import.meta.dirname, '..', '..');

/** The text of a file of the working copy. */
export function textOf(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** Cells of the rows of the table that begins with this header row, without the header; code marks are taken off. */
export function tableOf(document: string, header: string): readonly (readonly string[])[] {
  const lines = document.split('\n');
  const start = lines.indexOf(header);
  if (start < 0) throw new Error(`there is no table ${header}`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end < 0 ? undefined : end).map(cellsOf);
}

function cellsOf(line: string): readonly string[] {
  return line
    .slice(1, -1)
    .split(' | ')
    .map((cell) => cell.trim().replaceAll('`', ''));
}

/** Numbers of the lines that are longer than the documents allow. */
export function longLines(document: string): readonly number[] {
  return document.split('\n').flatMap((line, index) => (Array.from(line).length > 120 ? [index + 1] : []));
}
