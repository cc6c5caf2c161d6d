import type { AssetRow, StatusCounts } from '../model/data.ts';
import { freshnessBar, freshShare, notFresh, padded, progressBar, sparkline, totalOf, wantedOf } from './bars.ts';
import { age, bytes, compact, percent, visible, when } from './format.ts';
import { find, marked } from './lines.ts';
import { type Column, rightCell, textCell } from './list.ts';
import { symbolsOf } from './symbols.ts';
import { cell, width } from './text.ts';
import type { Paint, Theme } from './theme.ts';

/** A line of the tree. */
export type AssetEntry = AssetHeading | { readonly type: 'asset'; readonly row: AssetRow; readonly depth: number };

/** A zone or a group, with what its assets are together. */
export interface AssetHeading {
  readonly type: 'zone' | 'group';
  readonly name: string;
  readonly depth: number;
  readonly collapsed: boolean;
  /** How many assets it has, shown or not. */
  readonly assets: number;
  readonly counts: StatusCounts | undefined;
  readonly rows: number;
  readonly bytes: number;
}

type Draw = Column<AssetEntry>['draw'];

/** The columns of the tree. Those that no asset has anything for are left out. */
export function assetColumns(
  entries: readonly AssetEntry[],
  now: number,
  words: readonly string[],
  theme: Theme,
): Column<AssetEntry>[] {
  const rows = entries.flatMap((entry) => (entry.type === 'asset' ? [entry.row] : []));
  const widest = entries.reduce((most, entry) => Math.max(most, nameWidth(entry)), 8);
  const ofAsset =
    (draw: (row: AssetRow, columns: number) => string): Draw =>
    (entry, columns) =>
      entry.type === 'asset' ? draw(entry.row, columns) : ' '.repeat(columns);
  const amount =
    (of: (entry: AssetRow | AssetHeading) => number, print: (value: number) => string): Draw =>
    (entry, columns) => {
      const value = of(partOf(entry));
      return rightCell(theme, value === 0 ? '' : print(value), columns, theme.faint);
    };
  const faintly = (text: (row: AssetRow) => string) =>
    ofAsset((row, columns) => rightCell(theme, text(row), columns, theme.faint));
  const has = (what: (row: AssetRow) => boolean, column: Column<AssetEntry>) => (rows.some(what) ? [column] : []);
  const at = (ms: number | undefined) => (ms === undefined ? '' : when(ms, now));
  return [
    {
      title: 'asset',
      rank: 0,
      least: Math.min(widest, 22),
      most: Math.min(widest, 60),
      draw: (entry, columns) => name(entry, columns, words, theme),
    },
    {
      title: 'freshness',
      rank: 1,
      least: 10,
      most: 28,
      draw: (entry, columns) => freshnessBar(theme, partOf(entry).counts, columns),
    },
    {
      title: 'fresh',
      rank: 2,
      least: 5,
      most: 5,
      align: 'right',
      draw: (entry, columns) => share(entry, columns, theme),
    },
    ...has(({ running, busy }) => running !== undefined || busy === true, {
      title: 'running',
      rank: 3,
      least: 7,
      most: 16,
      draw: ofAsset((row, columns) => running(row, columns, theme)),
    }),
    { title: 'not fresh', rank: 4, least: 13, most: 26, draw: (entry, columns) => rest(entry, columns, theme) },
    { title: 'last', rank: 5, least: 8, most: 8, align: 'right', draw: faintly(({ lastAt }) => at(lastAt)) },
    ...has(({ nextAt }) => nextAt !== undefined, {
      title: 'next',
      rank: 7,
      least: 7,
      most: 7,
      align: 'right',
      draw: faintly(({ nextAt }) => at(nextAt)),
    }),
    ...has(({ lag }) => lag !== undefined, {
      title: 'lag',
      rank: 6,
      least: 7,
      most: 7,
      align: 'right',
      draw: ofAsset((row, columns) => lagCell(row.lag, columns, theme)),
    }),
    ...has(({ volume }) => volume.length > 0, {
      title: 'volume',
      rank: 8,
      least: 12,
      most: 30,
      draw: ofAsset((row, columns) => sparkline(theme, row.volume, columns, theme.faint)),
    }),
    {
      title: 'partitions',
      rank: 9,
      least: 10,
      most: 10,
      align: 'right',
      draw: amount(({ counts }) => (counts ? totalOf(counts) : 0), compact),
    },
    { title: 'rows', rank: 10, least: 7, most: 7, align: 'right', draw: amount(({ rows }) => rows, compact) },
    { title: 'size', rank: 11, least: 8, most: 8, align: 'right', draw: amount(({ bytes }) => bytes, bytes) },
    {
      title: 'kind',
      rank: 12,
      least: 10,
      most: 24,
      draw: ofAsset((row, columns) => textCell(theme, kindOf(row), columns, theme.faint)),
    },
  ];
}

/** How far it is behind, with a mark that says whether the policy allows it: `2d ✗`. */
export function lagText(lag: AssetRow['lag'], theme: Theme): { readonly text: string; readonly paint: Paint } {
  const { good, bad, warning, lost } = symbolsOf(theme);
  if (lag === undefined) return { text: '', paint: theme.faint };
  const shown = lag.ms === undefined ? '' : age(lag.ms);
  if (lag.verdict === 'unknown') return { text: `${shown} ${lost}`, paint: theme.faint };
  if (lag.verdict === 'no-policy') return { text: `${shown}  `, paint: theme.faint };
  if (lag.verdict === 'on-time') return { text: `${shown} ${good}`, paint: theme.good };
  return lag.verdict === 'warn'
    ? { text: `${shown} ${warning}`, paint: theme.warning }
    : { text: `${shown} ${bad}`, paint: theme.bad };
}

export const kindOf = ({ kind, kinds }: AssetRow): string =>
  [...(kind === 'source' ? ['source'] : []), ...kinds.filter((one) => one !== kind)].join(', ');

const partOf = (entry: AssetEntry): AssetRow | AssetHeading => (entry.type === 'asset' ? entry.row : entry);

const countOf = (entry: AssetHeading) => ` ${entry.assets}`;
const labelOf = (entry: AssetEntry) => (entry.type === 'asset' ? entry.row.key : entry.name);
const nameWidth = (entry: AssetEntry) =>
  entry.depth * 2 + (entry.type === 'asset' ? 0 : 2 + countOf(entry).length) + width(visible(labelOf(entry)));

function name(entry: AssetEntry, columns: number, words: readonly string[], theme: Theme): string {
  const indent = Math.min(entry.depth * 2, columns);
  const label = visible(labelOf(entry));
  if (entry.type === 'asset') {
    const shown = cell(theme, label, columns - indent);
    return ' '.repeat(indent) + marked(theme, shown, find(shown, words), (text) => text);
  }
  const { open, closed } = symbolsOf(theme);
  const head = ' '.repeat(indent) + (entry.collapsed ? closed : open);
  const count = countOf(entry);
  const room = columns - indent - 2 - count.length;
  if (room < 1) return cell(theme, `${head} ${label}`, columns);
  const shown = width(label) > room ? cell(theme, label, room) : label;
  const text = `${theme.faint(head)} ${theme.strong(shown)}${theme.faint(count)}`;
  return padded(text, indent + 2 + width(shown) + count.length, columns);
}

function share(entry: AssetEntry, columns: number, theme: Theme): string {
  const { counts } = partOf(entry);
  if (counts === undefined) return rightCell(theme, theme.box.ellipsis, columns, theme.faint);
  const all = counts.fresh === wantedOf(counts);
  return rightCell(theme, freshShare(counts), columns, all ? theme.good : (text) => text);
}

function rest(entry: AssetEntry, columns: number, theme: Theme): string {
  const { counts } = partOf(entry);
  const unknown = entry.type === 'asset' && !entry.row.known;
  if (unknown && (!counts || totalOf(counts) === 0)) return textCell(theme, 'not observed', columns, theme.warning);
  if (counts === undefined) return ' '.repeat(columns);
  const { text, cells } = notFresh(theme, counts, columns - (unknown ? 3 : 0));
  // What a source that was never looked at would add.
  const more = unknown ? `${cells > 0 ? ' ' : ''}+?` : '';
  return padded(text + theme.warning(more), cells + more.length, columns);
}

function running({ running, busy }: AssetRow, columns: number, theme: Theme): string {
  if (running === undefined)
    return busy ? theme.accent(cell(theme, `${symbolsOf(theme).running} running`, columns)) : ' '.repeat(columns);
  const { done, total } = running;
  const text = percent(done, total);
  const bar = columns - 5;
  if (bar < 4) return theme.accent(cell(theme, `${symbolsOf(theme).running} ${text}`, columns));
  return `${progressBar(theme, { done, failed: 0, total }, bar)} ${rightCell(theme, text, 4, theme.accent)}`;
}

function lagCell(lag: AssetRow['lag'], columns: number, theme: Theme): string {
  const { text, paint } = lagText(lag, theme);
  return rightCell(theme, text, columns, paint);
}
