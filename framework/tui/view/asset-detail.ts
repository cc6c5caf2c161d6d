import { type AssetRow, SHOWN_STATUSES, type Size, type StatusCounts } from '../model/data.ts';
import { type AssetEntry, kindOf, lagText } from './asset-columns.ts';
import { allot, freshnessBar, progressBar, sparkline, totalOf } from './bars.ts';
import { bytes, instant, number, percent, plural, visible, when } from './format.ts';
import { page, wrap } from './lines.ts';
import { rightCell } from './list.ts';
import { cell, cut } from './text.ts';
import type { Theme } from './theme.ts';

/** Cells of the names at the left. */
const NAMES = 13;

/** What there is to know about the asset or the zone of a line: exactly `size.rows` lines. */
export function assetDetail(entry: AssetEntry, now: number, size: Size, theme: Theme): string[] {
  const { columns } = size;
  const asset = entry.type === 'asset' ? entry.row : undefined;
  const part = entry.type === 'asset' ? entry.row : entry;
  const head = entry.type === 'asset' ? entry.row.key : entry.name;
  const about = entry.type === 'asset' ? kindOf(entry.row) : `${entry.type} of ${plural(entry.assets, 'asset')}`;
  const fact = facts(columns, theme);
  const lines = [
    theme.title(cut(theme, visible(head), columns)),
    theme.faint(cut(theme, visible(about), columns)),
    '',
    ...(asset ? declared(asset, columns, theme) : []),
    ...(asset?.running
      ? runningLines(asset.running, columns, theme)
      : asset?.busy
        ? [theme.accent('A run is computing it.'), '']
        : []),
    ...statusLines(part.counts, columns, theme),
    ...fact('rows', part.rows === 0 ? '' : number(part.rows)),
    ...fact('size', part.bytes === 0 ? '' : bytes(part.bytes)),
    ...(asset ? times(asset, now, columns, theme) : []),
  ];
  return page(
    lines.map((line) => cut(theme, line, columns)),
    size.rows,
  );
}

const facts = (columns: number, theme: Theme) => (name: string, text: string) =>
  text === ''
    ? []
    : wrap(theme, text, columns - NAMES, 3).map(
        (line, i) => theme.faint(cell(theme, i === 0 ? name : '', NAMES)) + line,
      );

function declared({ description, dimensions, group, owners, tags }: AssetRow, columns: number, theme: Theme): string[] {
  const fact = facts(columns, theme);
  const tagged = Object.entries(tags).map(([name, value]) => (value === '' ? name : `${name}=${value}`));
  return [
    ...(description ? [...wrap(theme, description, columns, 8), ''] : []),
    ...fact('dimensions', dimensions.join(theme.unicode ? ' × ' : ' x ') || 'none: one partition'),
    ...fact('group', group),
    ...fact('owners', owners.join(', ')),
    ...fact('tags', tagged.join(', ')),
    '',
  ];
}

function runningLines(running: NonNullable<AssetRow['running']>, columns: number, theme: Theme): string[] {
  const name = theme.accent(cell(theme, 'running', NAMES));
  const share = `${percent(running.done, running.total)} of ${plural(running.total, 'partition')}`;
  const bar = Math.max(Math.min(columns - NAMES - share.length - 2, 20), 0);
  return [`${name}${progressBar(theme, { ...running, failed: 0 }, bar)}${bar > 0 ? '  ' : ''}${share}`, ''];
}

/** A bar, and a line per status with its share. */
function statusLines(counts: StatusCounts | undefined, columns: number, theme: Theme): string[] {
  if (counts === undefined) return [theme.faint(`working out what is fresh ${theme.box.ellipsis}`), ''];
  const total = totalOf(counts);
  if (total === 0) return [theme.faint('no partitions'), ''];
  const shown = SHOWN_STATUSES.filter((status) => counts[status] > 0);
  const digits = Math.max(...shown.map((status) => number(counts[status]).length));
  const room = Math.max(columns - NAMES - digits - 9, 0);
  const lines = shown.map((status) => {
    const count = counts[status];
    const [filled = 0] = allot([count, total - count], Math.min(room, 20), [0, 1]);
    const name = cell(theme, `${theme.glyph[status]} ${status}`, NAMES);
    const share = rightCell(theme, percent(count, total), 6, theme.faint);
    const bar = (theme.unicode ? '▪' : '=').repeat(filled);
    return `${theme.status[status](name)}${cell(theme, number(count), digits, 'right')}${share}  ${theme.status[status](bar)}`;
  });
  return [freshnessBar(theme, counts, columns), '', ...lines, ''];
}

const PAINTS = { 'on-time': 'good', warn: 'warning', overdue: 'bad', unknown: 'faint', 'no-policy': 'faint' } as const;

/** How late it is and since when, and what its policies want. */
function lagLines(lag: NonNullable<AssetRow['lag']>, columns: number, theme: Theme): string[] {
  const fact = facts(columns, theme);
  const { told, policies, verdict } = lag;
  if (verdict === 'no-policy') return fact('lag', `${lagText(lag, theme).text.trimEnd()}, no policy`);
  const [first = '', ...more] = told;
  const paint = theme[PAINTS[verdict]];
  const room = Math.max(columns - NAMES, 1);
  const lines = [
    ...wrap(theme, first, room, 3).map(paint),
    ...more.flatMap((line) => wrap(theme, line, room, 3).map(theme.faint)),
  ];
  return [
    ...lines.map((line, i) => theme.faint(cell(theme, i === 0 ? 'lag' : '', NAMES)) + line),
    ...policies.flatMap((policy) => fact('policy', policy)),
  ];
}

function times(row: AssetRow, now: number, columns: number, theme: Theme): string[] {
  const { kind, known, lastAt, lastRun, nextAt, lag, volume, volumeUnit } = row;
  const fact = facts(columns, theme);
  const named = (name: string, text: string) => theme.faint(cell(theme, name, NAMES)) + text;
  const at = (ms: number) => `${when(ms, now)}, ${instant(ms)}`;
  const unknown = 'A source upstream was never observed: the counts are what is known so far. Press o to observe it.';
  const room = Math.max(columns - NAMES, 0);
  return [
    ...fact(kind === 'source' ? 'observed' : 'computed', lastAt === undefined ? 'never' : at(lastAt)),
    ...fact('in run', lastRun ?? ''),
    ...fact('next', nextAt === undefined ? '' : at(nextAt)),
    ...(lag ? lagLines(lag, columns, theme) : []),
    ...(volume.length > 0
      ? [
          '',
          named('volume', `${sparkline(theme, volume, Math.min(volume.length, room - 6))} ${theme.faint(volumeUnit)}`),
        ]
      : []),
    ...(known ? [] : ['', ...wrap(theme, unknown, columns, 4).map(theme.warning)]),
  ];
}
