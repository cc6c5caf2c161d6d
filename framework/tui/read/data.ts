import { LakehouseError } from '../../common/errors.ts';
import { didYouMean } from '../../common/suggest.ts';
import type { AssetDefinition } from '../../define/model.ts';
import { quoteIdentifier } from '../../define/sql.ts';
import { partitionColumns, partitionCondition } from '../../engine/partitions.ts';
import type { LakeView } from '../../engine/port.ts';
import type { Lake } from '../../materialize/lake.ts';
import { addressOf, type LakeFiles } from '../../materialize/lake-files.ts';
import { lakeViews } from '../../materialize/views.ts';
import { parseKey, seriesKey } from '../../partition/space.ts';
import { PRESENT } from '../../plan/view.ts';
import type { StateReader } from '../../state/store.ts';
import type { Candle, ColumnStats, DataPreview, Grid } from '../model/data.ts';
import { type Answer, ask, askAll, gridOf } from './queries.ts';

export { problemOf } from './queries.ts';

/** An opened lake, of which nothing is written. */
export type QueriedLake = Lake<StateReader>;

export interface PreviewLimits {
  /** Of the first rows, and of the last ones. */
  readonly rows: number;
  /** At most so many, for each of which one is enough on the screen. */
  readonly candles: number;
}

interface Column {
  readonly name: string;
  readonly type: string;
}

/** What is previewed: one partition, or an asset as a whole. */
interface Scope {
  readonly definition: AssetDefinition;
  /** Columns to show: those that are the same in every row are left out. */
  readonly columns: readonly Column[];
  /** The relation, with the condition that picks the partition. */
  readonly from: string;
  readonly views: (files: LakeFiles) => Promise<readonly LakeView[]>;
  /** Whether all rows are of one series, so that a chart of them makes sense. */
  readonly single: boolean;
}

/**
 * The data of a partition, or of a whole asset: first and last rows, statistics of its columns, candles. Reads the one file the
 * partition is in; of a whole asset everything, which may take long: abort it.
 * @param partition printed key.
 * @throws LakehouseError `unknown-asset`, `no-data` (usage) for a source and for a partition without content; those of `parseKey` and
 * of the engine; the signal's reason.
 */
export async function previewData(
  lake: QueriedLake,
  asset: string,
  partition: string | undefined,
  limits: PreviewLimits,
  signal: AbortSignal,
): Promise<DataPreview> {
  const scope = scopeOf(lake, asset, partition);
  const query = (sql: string, limit = Number.POSITIVE_INFINITY) => run(lake, scope, sql, limit, signal);
  const list = scope.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const sort = partition === undefined ? [] : scope.definition.sortBy.map(quoteIdentifier);
  const order = (suffix: string) =>
    sort.length === 0 ? '' : ` ORDER BY ${sort.map((name) => name + suffix).join(', ')}`;
  const first = await query(`SELECT ${list} FROM ${scope.from}${order('')} LIMIT ${limits.rows + 1}`, limits.rows);
  // Of a whole asset the last rows would have to be looked for among all of them.
  const last =
    first.more && sort.length > 0
      ? await query(`SELECT ${list} FROM ${scope.from}${order(' DESC NULLS FIRST')} LIMIT ${limits.rows}`)
      : undefined;
  const { rowCount, stats } = await statsOf(scope, query);
  return {
    asset,
    partition,
    first: gridOf(first),
    last: last && gridOf({ ...last, rows: last.rows.toReversed(), more: true }),
    stats,
    candles: await candlesOf(scope, limits.candles, query),
    rowCount,
  };
}

/**
 * One SELECT over the whole lake.
 * @throws LakehouseError `query-invalid`, `query-not-select`, `unknown-table`, `ambiguous-table` (usage) and whatever else the engine
 * throws; the signal's reason.
 */
export async function runSql(lake: QueriedLake, sql: string, limit: number, signal: AbortSignal): Promise<Grid> {
  return gridOf(await askAll(lake, sql, limit, signal));
}

type Query = (sql: string) => Promise<Answer>;

const run = (lake: QueriedLake, scope: Scope, sql: string, limit: number, signal: AbortSignal): Promise<Answer> =>
  ask(lake, scope.views, sql, limit, signal);

function scopeOf(lake: QueriedLake, asset: string, partition: string | undefined): Scope {
  const node = lake.graph.find(asset);
  if (!node) {
    throw new LakehouseError('unknown-asset', `No asset is named '${asset}'`, {
      hint: didYouMean(asset, lake.graph.order),
    });
  }
  const { definition } = node;
  if (definition.kind === 'source') {
    throw new LakehouseError('no-data', `${asset} is a source: the lake keeps no data of it`, {
      hint: 'Look at an asset that reads it.',
    });
  }
  const { space, storage } = definition;
  const dimensions = partitionColumns(space);
  const raw = storage.type === 'raw';
  const data = raw
    ? [
        { name: 'path', type: 'VARCHAR' },
        { name: 'bytes', type: 'BIGINT' },
      ]
    : definition.columns;
  const relation = asset.split('/').map(quoteIdentifier).join('.');
  if (partition === undefined) {
    return {
      definition,
      columns: [...dimensions, ...data],
      from: relation,
      views: async (files) =>
        (await lakeViews(lake, files, (one) => one === definition)).filter((view) => view.definition === definition),
      single: (lake.state.index().asset(asset)?.series.size ?? 0) <= 1,
    };
  }
  const ref = parseKey(space, partition);
  const series = seriesKey(space, ref.values);
  const views = async (files: LakeFiles): Promise<readonly LakeView[]> => {
    const state = lake.state.refresh().asset(asset)?.series.get(series);
    const present = ((state?.flags[ref.time - state.base] ?? 0) & PRESENT) !== 0;
    if (!present) {
      throw new LakehouseError('no-data', `${asset} ${partition} has no content`, {
        hint: 'It was never computed, or has left the lake.',
      });
    }
    // A partition without rows is in no file.
    const file = lake.state.fileOf(asset, series, ref.time);
    return [
      raw
        ? { definition, partitions: file ? [{ ...ref, path: addressOf(lake, file.path), bytes: file.bytes }] : [] }
        : { definition, files: file ? [await files.table(file)] : [] },
    ];
  };
  const from = `${relation} WHERE ${partitionCondition(space, ref.values, ref.time)}`;
  return { definition, columns: data, from, views, single: true };
}

/** Statistics of all columns in one pass. The number of distinct values is an estimate. */
async function statsOf({ columns, from }: Scope, query: Query): Promise<{ rowCount: number; stats: ColumnStats[] }> {
  const list = columns.flatMap(({ name }) => {
    const column = quoteIdentifier(name);
    return [
      `count(${column})`,
      `approx_count_distinct(${column})`,
      `CAST(min(${column}) AS VARCHAR)`,
      `CAST(max(${column}) AS VARCHAR)`,
    ];
  });
  const { rows } = await query(`SELECT ${['count(*)', ...list].join(', ')} FROM ${from}`);
  const [row = []] = rows;
  const rowCount = Number(row[0] ?? 0);
  const stats = columns.map(({ name, type }, i): ColumnStats => {
    const [count, distinct, min, max] = row.slice(1 + 4 * i, 5 + 4 * i);
    const filled = Number(count ?? 0);
    const text = (value: unknown) => (value === null || value === undefined ? undefined : String(value));
    // The estimate may be above what is possible.
    return {
      name,
      type,
      nulls: rowCount - filled,
      distinct: Math.min(Number(distinct ?? 0), filled),
      min: text(min),
      max: text(max),
    };
  });
  return { rowCount, stats };
}

const PRICES = ['open', 'high', 'low', 'close'] as const;

/** For a series with prices over time: at most so many candles, each over an equal span. Spans without rows are left out. */
async function candlesOf({ definition, from, single }: Scope, most: number, query: Query): Promise<Candle[]> {
  const { columns, timeColumn, sortBy } = definition;
  const typeOf = (name: string | undefined) => columns.find((column) => column.name === name)?.type;
  const time = timeColumn ?? sortBy.find((name) => /^(TIMESTAMP|DATE)/.test(typeOf(name) ?? ''));
  if (!single || most < 1 || time === undefined || PRICES.some((name) => typeOf(name) === undefined)) return [];
  const prices = PRICES.map((name) => `CAST(${quoteIdentifier(name)} AS DOUBLE) AS ${name}`);
  const moment = `epoch_ms(CAST(${quoteIdentifier(time)} AS TIMESTAMP))`;
  const { rows } = await query(`
    WITH prices AS (SELECT ${moment} AS moment, ${prices.join(', ')} FROM ${from}),
      span AS (SELECT min(moment) AS begins, max(moment) - min(moment) + 1 AS length FROM prices)
    SELECT min(moment), arg_min(open, moment), max(high), min(low), arg_max(close, moment)
    FROM prices, span WHERE moment IS NOT NULL AND open + high + low + close IS NOT NULL
    GROUP BY (moment - begins) * ${most} // length ORDER BY 1`);
  return rows.map((row) => {
    const [at = 0, open = 0, high = 0, low = 0, close = 0] = row.map(Number);
    return { at, open, high, low, close };
  });
}
