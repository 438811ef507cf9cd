import { escapeHtml } from './escape-html.ts';
import { cellText, type Plot } from './report.ts';

const WIDTH = 720;
const HEIGHT = 360;
const LEFT = 64;
const RIGHT = 160;
const TOP = 28;
const BOTTOM = 44;
const COLOURS = ['#1b6ca8', '#c8553d', '#3a7d44', '#8e5ea2', '#b8860b', '#4a4e69'];

/** A scale from values to places. */
interface Axis {
  readonly ticks: readonly number[];
  place(value: number): number;
}

/** The plot as one inline SVG element. */
export function plotSvg(plot: Plot): string {
  const series = plot.series.map(({ name, points }) => ({
    name,
    points: points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y) && (!plot.isLogarithmic || y > 0)),
  }));
  const all = series.flatMap(({ points }) => points);
  const x = linearAxis(Math.max(1e-9, ...all.map(([value]) => value)), LEFT, WIDTH - RIGHT);
  const ys = all.map(([, value]) => value);
  const y = plot.isLogarithmic
    ? logarithmicAxis(Math.min(...ys), Math.max(...ys), HEIGHT - BOTTOM, TOP)
    : linearAxis(Math.max(1e-9, ...ys), HEIGHT - BOTTOM, TOP);
  const body = [
    text(LEFT, 16, plot.title, 'font-weight="bold"'),
    ...x.ticks.map((tick) => tickMark(x.place(tick), 'x', tick)),
    ...y.ticks.map((tick) => tickMark(y.place(tick), 'y', tick)),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, plot.xLabel, 'text-anchor="middle"'),
    text(14, HEIGHT / 2, plot.yLabel, `text-anchor="middle" transform="rotate(-90 14 ${HEIGHT / 2})"`),
    ...series.flatMap(({ name, points }, place) => seriesMarks(name, points, place, x, y)),
    ...(plot.mark === undefined ? [] : [verticalMark(x.place(plot.mark.x), plot.mark.name)]),
  ];
  const label = escapeHtml(plot.title);
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${body.join('')}</svg>`;
}

function seriesMarks(
  name: string,
  points: Plot['series'][number]['points'],
  place: number,
  x: Axis,
  y: Axis,
): string[] {
  const colour = COLOURS[place % COLOURS.length]!;
  const at = points.map(([px, py]) => [round(x.place(px)), round(y.place(py))] as const);
  const legendY = TOP + 10 + place * 18;
  const legendX = WIDTH - RIGHT + 16;
  return [
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${at.map((point) => point.join(',')).join(' ')}"/>`,
    ...at.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`),
    `<rect x="${legendX}" y="${legendY - 9}" width="12" height="10" fill="${colour}"/>`,
    text(legendX + 18, legendY, name),
  ];
}

function linearAxis(highest: number, from: number, to: number): Axis {
  const unit = 10 ** Math.floor(Math.log10(highest));
  const step = [0.2, 0.5, 1, 2, 5].map((part) => part * unit).find((size) => highest / size <= 6) ?? unit * 5;
  const top = Math.ceil(highest / step) * step;
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  return { ticks, place: (value) => from + ((to - from) * value) / top };
}

function logarithmicAxis(lowest: number, highest: number, from: number, to: number): Axis {
  const hasValues = Number.isFinite(lowest) && Number.isFinite(highest);
  const first = hasValues ? Math.floor(Math.log10(lowest)) : 0;
  const last = Math.max(first + 1, hasValues ? Math.ceil(Math.log10(highest)) : 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
  return { ticks, place: (value) => from + ((to - from) * (Math.log10(value) - first)) / (last - first) };
}

function tickMark(at: number, axis: 'x' | 'y', value: number): string {
  const place = round(at);
  const grid = axis === 'x' ? [place, TOP, place, HEIGHT - BOTTOM] : [LEFT, place, WIDTH - RIGHT, place];
  const label =
    axis === 'x'
      ? text(place, HEIGHT - BOTTOM + 16, cellText(value), 'text-anchor="middle"')
      : text(LEFT - 6, place + 4, cellText(value), 'text-anchor="end"');
  return `<line x1="${grid[0]}" y1="${grid[1]}" x2="${grid[2]}" y2="${grid[3]}" stroke="#ddd"/>${label}`;
}

function verticalMark(at: number, name: string): string {
  const place = round(at);
  return (
    `<line x1="${place}" y1="${TOP}" x2="${place}" y2="${HEIGHT - BOTTOM}" stroke="#666" stroke-dasharray="4 3"/>` +
    text(place + 4, TOP + 12, name, 'fill="#666"')
  );
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" font-size="12" ${attributes}>${escapeHtml(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
