import type { ColumnStats, DataPreview, Grid } from '../model/data.ts';
import type { DataInput, Problem, SqlPrompt } from './data.ts';
import { duration, number, plural } from './format.ts';
import { listed, position, type Told } from './linear.ts';

const problem = ({ message, hint }: Problem): string[] => [`Error: ${message}`, ...(hint === undefined ? [] : [hint])];

/** What is in a partition or an asset, and what came of a query. `of`: the partition or the asset. */
export function dataTold({ tab, preview, error, row, column, sql }: Omit<DataInput, 'size'>, of: string): Told {
  if (tab === 'sql') return sqlTold(sql, row, column);
  const told = { place: 'data', title: `Data of ${of}, ${tab}`, focus: undefined };
  if (error) return { ...told, summary: problem(error) };
  if (!preview) return { ...told, summary: ['Reading it.'], reading: 'all' };
  const { rowCount, stats, first } = preview;
  if (tab === 'chart') return { ...told, summary: [chartText(preview)] };
  if (tab === 'rows')
    return {
      ...told,
      summary: [
        `${plural(rowCount, 'row')}, ${plural(first.columns.length, 'column')}.`,
        ...(first.rows.length < rowCount ? [`The first ${number(first.rows.length)} are here.`] : []),
      ],
      focus: rowText(first, row, column),
    };
  const at = Math.min(row, stats.length - 1);
  const stat = stats[at];
  return {
    ...told,
    summary: [`Statistics of ${plural(stats.length, 'column')}.`],
    focus: stat && listed(statText(stat), position(at, stats.length)),
  };
}

const statText = ({ name, type, nulls, distinct, min, max }: ColumnStats): string =>
  listed(
    `${name}: ${type}`,
    nulls === 0 ? 'no nulls' : plural(nulls, 'null'),
    `about ${number(distinct)} distinct`,
    min !== undefined && max !== undefined && `from ${min} to ${max}`,
  );

/** A row as a whole; right of the first column, the one value that one is at. */
function rowText({ columns, rows }: Grid, at: number, column: number): string | undefined {
  const row = rows[Math.min(at, rows.length - 1)];
  if (!row) return undefined;
  const place = position(Math.min(at, rows.length - 1), rows.length, 'row');
  const cell = (i: number) => `${columns[i]?.name} ${row[i]}`;
  return column === 0
    ? listed(...row.map((_, i) => cell(i)), place)
    : listed(cell(column), place, position(column, columns.length, 'column'));
}

function chartText({ candles }: DataPreview): string {
  const [first, last] = [candles[0], candles.at(-1)];
  if (!first || !last) return 'There are no candles: they are of one series with a time and open, high, low and close.';
  const lowest = Math.min(...candles.map(({ low }) => low));
  const highest = Math.max(...candles.map(({ high }) => high));
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
  return `${plural(candles.length, 'candle')} from ${day(first.at)} to ${day(last.at)} UTC: opens at ${first.open}, closes at ${last.close}, lowest ${lowest}, highest ${highest}.`;
}

/** The prompt, and what came of it. */
function sqlTold({ caret, running, error, result, tookMs }: SqlPrompt, row: number, column: number): Told {
  const typing = caret !== undefined;
  const told = { place: `sql${typing ? ' prompt' : ''}`, title: typing ? 'SQL prompt' : 'SQL', focus: undefined };
  if (running) return { ...told, summary: ['Running.'], reading: 'all' };
  if (error) return { ...told, summary: problem(error) };
  if (!result) {
    const hint =
      'Assets are tables, such as SELECT * FROM silver.klines LIMIT 20. Enter asks, up and down bring back what was asked before, escape leaves.';
    return { ...told, summary: [typing ? hint : 's goes to the prompt.'] };
  }
  const count = `${plural(result.rows.length, 'row')}${result.more ? ' and more' : ''}`;
  const time = tookMs === undefined ? '' : ` in ${duration(tookMs)}`;
  return { ...told, summary: [`Result: ${count}${time}.`], focus: rowText(result, row, column) };
}
