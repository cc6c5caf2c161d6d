import type { AssetRow, Size } from '../model/data.ts';
import { type AssetEntry, assetColumns } from './asset-columns.ts';
import { assetDetail } from './asset-detail.ts';
import { addCounts, filled, legend } from './bars.ts';
import { type Filter, filterLines } from './field.ts';
import { plural, visible } from './format.ts';
import { emptyState, ends, page, wordsOf } from './lines.ts';
import { list } from './list.ts';
import { cut, width } from './text.ts';
import type { Theme } from './theme.ts';

export type { AssetEntry, AssetHeading } from './asset-columns.ts';

export interface AssetsInput {
  /** Undefined while the lake is being read. Headings have totals also of what is collapsed. */
  readonly entries: readonly AssetEntry[] | undefined;
  readonly cursor: number;
  readonly offset: number;
  readonly filter?: Filter | undefined;
  /** How many assets are not listed because they are idle. */
  readonly idle?: number;
  readonly now: number;
  readonly size: Size;
}

const WIDE = 140;

/** The Assets screen: exactly `size.rows` lines. */
export function assetsView({ entries, cursor, offset, filter, idle, now, size }: AssetsInput, theme: Theme): string[] {
  if (entries === undefined) return emptyState(theme, size, 'Reading the lake …', '');
  const rows = entries.flatMap((entry) => (entry.type === 'asset' ? [entry.row] : []));
  const top = filterLines(theme, filter, '', size.columns);
  const below = { columns: size.columns, rows: Math.max(size.rows - top.length, 0) };
  if (entries.length === 0) {
    const nothing =
      (filter?.text ?? '') === ''
        ? emptyState(
            theme,
            below,
            'This lake has no assets yet.',
            'Assets are declared in code: docs/guide.md shows a small lake.',
          )
        : emptyState(theme, below, `No asset matches ${visible(filter?.text ?? '')}`, 'esc clears the filter.');
    return page([...top, ...nothing], size.rows);
  }
  const detailed = size.columns >= WIDE;
  const right = detailed ? Math.min(Math.floor(size.columns * 0.32), 64) : 0;
  const left = size.columns - (detailed ? right + 3 : 0);
  const unknown = rows.length > 0 && rows.every(({ known }) => !known);
  const hint = unknown
    ? [
        cut(
          theme,
          ` ${theme.warning('Nothing was observed yet:')} press ${theme.accent('o')} to look at the sources.`,
          left,
        ),
      ]
    : [];
  const listed = list(
    {
      rows: entries,
      cursor,
      offset,
      columns: assetColumns(entries, now, wordsOf(filter?.text ?? ''), theme),
      size: { columns: left, rows: Math.max(below.rows - 1 - hint.length, 0) },
    },
    theme,
  );
  const lines = [...hint, summary(entries, rows, idle ?? 0, left, theme), ...listed];
  if (!detailed) return page([...top, ...lines], size.rows);
  const entry = entries[Math.min(cursor, entries.length - 1)];
  const detail = entry ? assetDetail(entry, now, { columns: right, rows: below.rows }, theme) : [];
  const bar = theme.border(theme.box.vertical);
  return page([...top, ...lines.map((line, i) => `${filled(line, left)} ${bar} ${detail[i] ?? ''}`)], size.rows);
}

/** What everything is together; the legend of the bars too. */
function summary(
  entries: readonly AssetEntry[],
  rows: readonly AssetRow[],
  idle: number,
  columns: number,
  theme: Theme,
): string {
  const headings = entries.flatMap((entry) => (entry.type === 'asset' || entry.depth > 0 ? [] : [entry]));
  const parts = headings.length > 0 ? headings : rows;
  const counts = addCounts(parts.flatMap((part) => (part.counts ? [part.counts] : [])));
  const assets = headings.length > 0 ? headings.reduce((sum, { assets }) => sum + assets, 0) : rows.length;
  const more = idle > 0 ? `, ${idle} not wanted (/ finds them)` : '';
  const right = theme.faint(`${plural(assets, 'asset')}${more} `);
  const room = columns - width(right) - 3;
  return ends(theme, ` ${legend(theme, counts, room)}`, right, columns);
}
