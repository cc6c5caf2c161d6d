import type { CheckRow, Size } from '../model/data.ts';
import { sparkline } from './bars.ts';
import { checkDetail, checkDetailScroll } from './check-detail.ts';
import { type Filter, filterLines } from './field.ts';
import { compact, plural, visible } from './format.ts';
import { emptyState, page, wordsOf } from './lines.ts';
import { type Column, list, rightCell, textCell } from './list.ts';
import { joined, panesOf } from './panes.ts';
import { symbolsOf } from './symbols.ts';
import { width } from './text.ts';
import type { Theme } from './theme.ts';

export interface ChecksInput {
  /** Undefined while they are being read. */
  readonly rows: readonly CheckRow[] | undefined;
  readonly cursor: number;
  readonly offset: number;
  /** First line of the detail that is shown. */
  readonly detailOffset?: number | undefined;
  readonly filter?: Filter | undefined;
  readonly now: number;
  readonly size: Size;
}

/** The Checks screen, with what failed beside or below the list: exactly `size.rows` lines. */
export function checksView(input: ChecksInput, theme: Theme): string[] {
  const { rows, cursor, offset, filter, now, size, detailOffset = 0 } = input;
  if (rows === undefined) return emptyState(theme, size, `Reading the checks ${theme.box.ellipsis}`, '');
  const top = filterLines(theme, filter, plural(rows.length, 'check'), size.columns);
  const height = Math.max(size.rows - top.length, 0);
  if (rows.length === 0) {
    const below = { columns: size.columns, rows: height };
    const nothing =
      (filter?.text ?? '') === ''
        ? emptyState(
            theme,
            below,
            'No asset has checks.',
            'Checks are declared with an asset, as rows that must not be there or bounds that must hold.',
          )
        : emptyState(theme, below, `No check matches ${visible(filter?.text ?? '')}`, 'esc clears the filter.');
    return page([...top, ...nothing], size.rows);
  }
  const columns = columnsOf(rows, wordsOf(filter?.text ?? ''), theme);
  const chosen = rows[Math.min(cursor, rows.length - 1)];
  const parts = panesOf(rows.length, { columns: size.columns, rows: height });
  const listed = list({ rows, cursor, offset, columns, size: parts.list }, theme);
  const detail = chosen ? checkDetail(chosen, { now, offset: detailOffset, size: parts.detail }, theme) : [];
  return page([...top, ...joined(theme, parts, listed, detail)], size.rows);
}

/** How far the detail of the check under the cursor scrolls. */
export function checkScroll({ rows, cursor, filter, now, size }: ChecksInput, theme: Theme): number {
  const chosen = rows?.[Math.min(cursor, rows.length - 1)];
  if (!rows || !chosen) return 0;
  const top = filterLines(theme, filter, '', size.columns);
  const { detail } = panesOf(rows.length, { columns: size.columns, rows: Math.max(size.rows - top.length, 0) });
  return checkDetailScroll(chosen, now, detail, theme);
}

function columnsOf(rows: readonly CheckRow[], words: readonly string[], theme: Theme): Column<CheckRow>[] {
  const widest = (of: (row: CheckRow) => string, least: number) =>
    rows.reduce((most, row) => Math.max(most, width(visible(of(row)))), least);
  const asset = widest(({ asset }) => asset, 5);
  const check = widest(({ check }) => check, 5);
  const { good, bad, warning, info } = symbolsOf(theme);
  return [
    {
      title: '',
      rank: 0,
      least: 1,
      most: 1,
      draw: ({ passed, failed, severity }) => {
        if (failed > 0) return severity === 'error' ? theme.bad(bad) : theme.warning(warning);
        return passed > 0 ? theme.good(good) : theme.faint(info);
      },
    },
    {
      title: 'asset',
      rank: 2,
      least: Math.min(asset, 16),
      most: Math.min(asset, 40),
      draw: ({ asset }, columns) => textCell(theme, asset, columns, (text) => text, words),
    },
    {
      title: 'check',
      rank: 1,
      least: Math.min(check, 14),
      most: Math.min(check, 40),
      draw: ({ check }, columns) => textCell(theme, check, columns, (text) => text, words),
    },
    {
      title: 'severity',
      rank: 5,
      least: 8,
      most: 15,
      draw: ({ severity, blocking }, columns) =>
        textCell(theme, blocking && columns >= 15 ? `${severity}, blocking` : severity, columns, theme.faint),
    },
    {
      title: 'passed',
      rank: 4,
      least: 7,
      most: 7,
      align: 'right',
      draw: ({ passed }, columns) => rightCell(theme, compact(passed), columns, theme.faint),
    },
    {
      title: 'failed',
      rank: 3,
      least: 7,
      most: 7,
      align: 'right',
      draw: ({ failed, severity }, columns) =>
        rightCell(
          theme,
          failed === 0 ? '' : compact(failed),
          columns,
          severity === 'error' ? theme.bad : theme.warning,
        ),
    },
    ...(rows.some(({ history }) => history.some(({ failed }) => failed > 0))
      ? [
          {
            title: 'over time',
            rank: 6,
            least: 12,
            most: 40,
            draw: ({ history }: CheckRow, columns: number) =>
              sparkline(
                theme,
                history.map(({ failed }) => failed),
                columns,
                theme.bad,
              ),
          },
        ]
      : []),
  ];
}
