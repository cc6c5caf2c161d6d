import { SHOWN_STATUSES, type ShownStatus, type StatusCounts } from '../model/data.ts';
import { compact, percent } from './format.ts';
import { width } from './text.ts';
import type { Paint, Theme } from './theme.ts';

/** What a person should look at first. */
export const BY_ATTENTION = [
  'failed',
  'blocked',
  'stale',
  'missing',
  'pending',
  'leaving',
  'fresh',
  'awaiting',
  'unavailable',
  'unneeded',
] as const satisfies readonly ShownStatus[];

/**
 * Cells shared out in proportion. Whatever is not zero gets one at least; where there are too few cells for that, the first ones
 * in `order` (indices) get theirs.
 */
export function allot(values: readonly number[], cells: number, order: readonly number[]): number[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  const shown = order.filter((i) => (values[i] ?? 0) > 0).slice(0, Math.max(cells, 0));
  const share = values.map(() => 0);
  const room = Math.max(cells, 0) - shown.length;
  if (shown.length === 0) return share;
  const exact = (i: number) => ((values[i] ?? 0) / total) * cells - 1;
  const wanted = shown.map((i) => Math.max(exact(i), 0));
  const all = wanted.reduce((sum, value) => sum + value, 0);
  const parts = shown.map((i, n) => ({ i, part: all === 0 ? 0 : ((wanted[n] ?? 0) / all) * room }));
  for (const { i, part } of parts) share[i] = 1 + Math.floor(part);
  let rest = cells - share.reduce((sum, value) => sum + value, 0);
  for (const { i } of parts.toSorted((a, b) => (b.part % 1) - (a.part % 1))) {
    if (rest <= 0) break;
    share[i] = (share[i] ?? 0) + 1;
    rest--;
  }
  return share;
}

const ATTENTION = BY_ATTENTION.map((status) => SHOWN_STATUSES.indexOf(status));

/** How much of an asset is in which status. Exactly so many cells; a dotted line where that is not known or there is nothing. */
export function freshnessBar(theme: Theme, counts: StatusCounts | undefined, columns: number): string {
  if (columns <= 0) return '';
  const values = SHOWN_STATUSES.map((status) => counts?.[status] ?? 0);
  const cells = allot(values, columns, ATTENTION);
  const bar = SHOWN_STATUSES.map((status, i) => theme.status[status](theme.glyph[status].repeat(cells[i] ?? 0))).join(
    '',
  );
  return bar === '' ? theme.faint((theme.unicode ? '┈' : '.').repeat(columns)) : bar;
}

/** Partitions that have or could have content. */
export const wantedOf = (counts: StatusCounts): number =>
  counts.fresh + counts.stale + counts.pending + counts.missing + counts.failed + counts.blocked;

export const totalOf = (counts: StatusCounts): number =>
  SHOWN_STATUSES.reduce((sum, status) => sum + counts[status], 0);

/** The share that is fresh: `98%`; nothing where nothing is wanted. */
export const freshShare = (counts: StatusCounts): string =>
  wantedOf(counts) === 0 ? '' : percent(counts.fresh, wantedOf(counts));

export function addCounts(all: readonly StatusCounts[]): StatusCounts {
  const sums = SHOWN_STATUSES.map((status) => [status, all.reduce((sum, counts) => sum + counts[status], 0)] as const);
  return Object.fromEntries(sums) as Record<ShownStatus, number>;
}

/** What is not fresh, most urgent first, as much as there is room for: `✗1 ◪12 □3`. At most so many cells, not padded. */
export function notFresh(theme: Theme, counts: StatusCounts, columns: number): { text: string; cells: number } {
  let text = '';
  let cells = 0;
  for (const status of BY_ATTENTION) {
    if (status === 'fresh' || counts[status] === 0) continue;
    const amount = compact(counts[status]);
    const needed = 1 + amount.length + (cells > 0 ? 1 : 0);
    if (cells + needed > columns) {
      if (cells < columns) return { text: text + theme.faint(theme.box.ellipsis), cells: cells + 1 };
      break;
    }
    text += `${cells > 0 ? ' ' : ''}${theme.status[status](theme.glyph[status] + amount)}`;
    cells += needed;
  }
  return { text, cells };
}

/** What the shapes mean, with counts: `■ 12,345 fresh  ◪ 12 stale`. Statuses that nothing has are left out. */
export function legend(theme: Theme, counts: StatusCounts, columns: number): string {
  let line = '';
  let cells = 0;
  for (const status of SHOWN_STATUSES) {
    if (counts[status] === 0) continue;
    const amount = compact(counts[status]);
    const needed = 3 + amount.length + status.length + (cells > 0 ? 2 : 0);
    if (cells + needed > columns) break;
    line += `${cells > 0 ? '  ' : ''}${theme.status[status](theme.glyph[status])} ${amount} ${theme.faint(status)}`;
    cells += needed;
  }
  return line;
}

/** No full block: those of neighbouring rows would run together. */
const LEVELS = { unicode: '▁▂▃▄▅▆▇', ascii: '.:-=+*%#' };

/**
 * Values from zero to their largest, one cell each, newest at the right, of which those that fit are shown. A zero is a blank.
 * Exactly so many cells.
 */
export function sparkline(
  theme: Theme,
  values: readonly number[],
  columns: number,
  paint: Paint = theme.accent,
): string {
  if (columns <= 0) return '';
  const levels = theme.unicode ? LEVELS.unicode : LEVELS.ascii;
  const shown = values.slice(-columns);
  const most = shown.reduce((most, value) => Math.max(most, value), 0);
  const bar = shown.map((value) =>
    value > 0 ? (levels[Math.min(Math.ceil((value / most) * levels.length), levels.length) - 1] ?? levels[0]) : ' ',
  );
  return ' '.repeat(columns - shown.length) + paint(bar.join(''));
}

export interface Done {
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

/** How far something is. Exactly so many cells. Full only when everything ended. */
export function progressBar(theme: Theme, { done, failed, total }: Done, columns: number): string {
  if (columns <= 0) return '';
  const [full, broken, empty] = theme.unicode ? ['━', '╍', '─'] : ['=', 'x', '-'];
  const open = Math.max(total - done - failed, 0);
  const [good = 0, bad = 0] = allot([done, failed, open], columns, [1, 2, 0]);
  return (
    theme.good(full.repeat(good)) + theme.bad(broken.repeat(bad)) + theme.faint(empty.repeat(columns - good - bad))
  );
}

/** Pads a painted text whose cells are known. */
export const padded = (text: string, cells: number, columns: number): string =>
  text + ' '.repeat(Math.max(columns - cells, 0));

/** Pads a painted text. */
export const filled = (text: string, columns: number): string => padded(text, width(text), columns);
