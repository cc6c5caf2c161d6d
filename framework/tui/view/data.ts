import type { ColumnStats, DataPreview, Grid, Size } from '../model/data.ts';
import { candleChart } from './braille.ts';
import { field } from './field.ts';
import { duration, number, percent, plural, visible } from './format.ts';
import { type GridPart, gridScroll, gridView } from './grid.ts';
import { emptyState, ends, page, wrap } from './lines.ts';
import { type Column, list, rightCell, textCell } from './list.ts';
import { cut, width } from './text.ts';
import type { Theme } from './theme.ts';

export const DATA_TABS = ['rows', 'statistics', 'chart', 'sql'] as const;
export type DataTab = (typeof DATA_TABS)[number];

export interface Problem {
  readonly message: string;
  readonly hint?: string | undefined;
}

/** A statement being typed, and what came of the one before. */
export interface SqlPrompt {
  readonly text: string;
  /** Index into the text; undefined where it is not being typed. */
  readonly caret: number | undefined;
  readonly running: boolean;
  readonly error: Problem | undefined;
  readonly result: Grid | undefined;
  /** How long the result took. */
  readonly tookMs: number | undefined;
  /** Which of the earlier statements is shown, from 1. */
  readonly history: { readonly index: number; readonly of: number } | undefined;
}

export interface DataInput {
  readonly size: Size;
  readonly tab: DataTab;
  /** Undefined while it is being read. */
  readonly preview: DataPreview | undefined;
  readonly error: Problem | undefined;
  /** First row and first column that are shown. */
  readonly row: number;
  readonly column: number;
  readonly sql: SqlPrompt;
}

const TITLES: Readonly<Record<DataTab, string>> = {
  rows: 'Rows',
  statistics: 'Statistics',
  chart: 'Chart',
  sql: 'SQL',
};

/** What is in a partition or an asset, and the SQL prompt: exactly `size.rows` lines. */
export function dataView(input: DataInput, theme: Theme): string[] {
  return page([tabLine(input, theme), ...body({ ...input, size: belowTabs(input.size) }, theme)], input.size.rows);
}

const belowTabs = ({ columns, rows }: Size): Size => ({ columns, rows: Math.max(rows - 1, 0) });

function body(input: DataInput, theme: Theme): string[] {
  const { tab, preview, error } = input;
  if (tab === 'sql') return sqlView(input, theme);
  if (error) return emptyState(theme, input.size, error.message, error.hint ?? '');
  if (!preview) return emptyState(theme, input.size, `Reading ${theme.box.ellipsis}`, '');
  if (tab === 'rows') return rowsView(input, preview, theme);
  return tab === 'statistics' ? statisticsView(input, preview, theme) : chartView(input, preview, theme);
}

/** The largest first row that makes sense. */
export function dataScroll({ tab, preview, sql, size }: DataInput): number {
  const room = belowTabs(size);
  if (tab === 'sql')
    return sql.result ? gridScroll({ size: belowPrompt(room), parts: [{ rows: sql.result.rows, from: 1 }] }) : 0;
  if (!preview || tab === 'chart') return 0;
  if (tab === 'statistics') return Math.max(preview.stats.length - Math.max(room.rows - 1, 0), 0);
  return gridScroll({ size: room, parts: partsOf(preview) });
}

function tabLine({ size, tab, preview }: DataInput, theme: Theme): string {
  const tabs = DATA_TABS.map((one) =>
    one === tab ? theme.selected(` ${TITLES[one]} `) : theme.faint(` ${TITLES[one]} `),
  );
  const rows = preview && tab !== 'sql' ? `${theme.strong(plural(preview.rowCount, 'row'))} ` : '';
  return ends(theme, ` ${tabs.join('')}`, rows, size.columns);
}

/** First and last rows under each other, with what lies in between as one line. */
function rowsView({ size, row, column }: DataInput, preview: DataPreview, theme: Theme): string[] {
  const { first, rowCount } = preview;
  if (rowCount === 0 && first.rows.length === 0) {
    return emptyState(theme, size, 'It has no rows.', 'Its content is a table without rows.');
  }
  return gridView({ size, columns: first.columns, parts: partsOf(preview), total: rowCount, row, column }, theme);
}

function partsOf({ first, last, rowCount }: DataPreview): GridPart[] {
  // The last rows may be among the first ones.
  const tail = last ? last.rows.slice(Math.max(first.rows.length + last.rows.length - rowCount, 0)) : [];
  return [
    { rows: first.rows, from: 1 },
    { rows: tail, from: rowCount - tail.length + 1 },
  ];
}

function statisticsView({ size, row }: DataInput, { stats, rowCount }: DataPreview, theme: Theme): string[] {
  type Of = (stat: ColumnStats) => string;
  const widest = (title: string, of: Of) => stats.reduce((most, stat) => Math.max(most, width(of(stat))), title.length);
  const text = (title: string, rank: number, longest: number, pick: Of): Column<ColumnStats> => {
    const of: Of = (stat) => visible(pick(stat));
    const most = widest(title, of);
    const draw = (stat: ColumnStats, columns: number) => textCell(theme, of(stat), columns);
    return { title, rank, least: Math.min(most, 12), most: Math.min(most, longest), draw };
  };
  // No wider than they are: what they do not need is left to types and values.
  const figure = (title: string, rank: number, of: Of): Column<ColumnStats> => {
    const most = widest(title, of);
    const draw = (stat: ColumnStats, columns: number) => rightCell(theme, of(stat), columns);
    return { title, rank, least: most, most, align: 'right', draw };
  };
  const nulls = ({ nulls }: ColumnStats) =>
    nulls === 0 ? theme.faint('0') : theme.warning(`${number(nulls)} ${percent(nulls, rowCount)}`);
  return list(
    {
      rows: stats,
      cursor: -1,
      offset: row,
      size,
      columns: [
        text('column', 0, 32, ({ name }) => name),
        text('type', 3, 24, ({ type }) => type),
        figure('nulls', 1, nulls),
        figure(theme.unicode ? 'distinct ≈' : 'distinct ~', 2, ({ distinct }) => number(distinct)),
        text('least', 4, 40, ({ min }) => min ?? ''),
        text('most', 5, 40, ({ max }) => max ?? ''),
      ],
    },
    theme,
  );
}

function chartView({ size }: DataInput, { candles }: DataPreview, theme: Theme): string[] {
  if (candles.length === 0) {
    return emptyState(
      theme,
      size,
      'There are no candles.',
      'They are drawn for one series with a time and open, high, low and close.',
    );
  }
  return candleChart(candles, { columns: size.columns - 1, rows: size.rows }, theme).map((line) => ` ${line}`);
}

/** Below the prompt and what is said of the result. */
const belowPrompt = ({ columns, rows }: Size): Size => ({ columns, rows: Math.max(rows - 2, 0) });

/** The prompt, what is wrong with the statement, and the result. */
function sqlView({ size, row, column, sql }: DataInput, theme: Theme): string[] {
  const { text, caret, running, error, result, tookMs, history } = sql;
  const past = history ? theme.faint(`${history.index}/${history.of} `) : '';
  const typed = field(theme, text, caret, Math.max(size.columns - 6 - past.length, 8));
  const prompt = ends(theme, ` ${theme.accent('sql>')} ${typed}`, past, size.columns);
  const rest = belowPrompt(size);
  if (running) return [prompt, theme.faint(cut(theme, ` running ${theme.box.ellipsis}`, size.columns))];
  if (error) return [prompt, '', ...errorLines(error, size.columns, theme)];
  if (!result) {
    const hint = 'Assets are tables: SELECT * FROM silver.klines LIMIT 20. Only SELECT is possible.';
    return [prompt, ...emptyState(theme, rest, 'Type a statement and press enter.', hint)];
  }
  const count = `${plural(result.rows.length, 'row')}${result.more ? ' and more' : ''}`;
  const said = tookMs === undefined ? count : `${count} in ${duration(tookMs)}`;
  const parts = [{ rows: result.rows, from: 1 }];
  const grid = gridView({ size: rest, columns: result.columns, parts, total: result.rows.length, row, column }, theme);
  return [prompt, theme.faint(cut(theme, ` ${said}`, size.columns)), ...grid];
}

/** The message with its excerpt of the statement, in which a caret must stay below what it points at. */
function errorLines({ message, hint }: Problem, columns: number, theme: Theme): string[] {
  const room = columns - 2;
  const lines = message.split('\n');
  const shown = lines.flatMap((line, i) => {
    const excerpt = isCaret(line) || isCaret(lines[i + 1] ?? '');
    return excerpt ? [cut(theme, visible(line), room)] : wrap(theme, line, room);
  });
  const more = hint === undefined ? [] : ['', ...wrap(theme, hint, room).map(theme.faint)];
  return [...shown.map(theme.bad), ...more].map((line) => cut(theme, ` ${line}`, columns));
}

const isCaret = (line: string): boolean => /^\s*\^\s*$/.test(line);
