import {
  asset,
  columns,
  daily,
  dynamicDimension,
  hourly,
  monthly,
  type SqlReference,
  source,
  sql,
  staticDimension,
  text,
  weekly,
  yearly,
} from 'crypto-lakehouse';
import { buildGraph } from '../../framework/graph/graph.ts';
import { EMPTY_SET } from '../../framework/partition/set.ts';
import { printKey, readSeriesKey, seriesKey } from '../../framework/partition/space.ts';
import { formatIndex, type Grain } from '../../framework/partition/time.ts';
import { type AssetEvaluation, SeriesEvaluation, STATUSES, type Status } from '../../framework/plan/evaluate.ts';

const times = {
  hour: hourly({ start: '2020-01-01T00' }),
  day: daily({ start: '2020-01-01' }),
  week: weekly({ start: '2020-01-06' }),
  month: monthly({ start: '2020-01' }),
  year: yearly({ start: '2020' }),
} as const;

export interface Given {
  readonly grain?: Grain | undefined;
  /** Listed dimensions; those with values are static ones. */
  readonly listed: Readonly<Record<string, readonly string[] | undefined>>;
  readonly kind?: 'asset' | 'source';
  /** Statuses by series: the values of the listed dimensions, and the time index of the first status. */
  readonly series: readonly {
    readonly values: Readonly<Record<string, string>>;
    readonly base: number;
    readonly status: readonly Status[];
  }[];
}

/** An evaluation with these statuses, of an asset `lab/table` (or a source `lab/origin`) with these dimensions; `time` is the one of time. */
export function evaluationOf({ grain, listed, kind = 'asset', series }: Given): AssetEvaluation {
  const dimensions = Object.fromEntries([
    ...Object.entries(listed).map(([name, values]) => [
      name,
      values ? staticDimension(values) : dynamicDimension(name),
    ]),
    ...(grain ? [['time', times[grain]]] : []),
  ]);
  const origin = source('lab/origin', { partitions: dimensions, observe: async function* () {} });
  const table = asset('lab/table', {
    partitions: dimensions,
    inputs: { o: origin },
    columns: columns({ name: text() }),
    sortBy: ['name'],
    query: ({ o }: { o: SqlReference }) => sql`SELECT 'x' AS name FROM ${o}`,
  } as never);
  const graph = buildGraph([origin, table as never], { codes: () => 'v1' });
  const node = graph.node(kind === 'asset' ? 'lab/table' : 'lab/origin');
  const entries = series.map(({ values, base, status }): [string, SeriesEvaluation] => {
    const key = seriesKey(node.space, values);
    const codes = Uint8Array.from(status, (one) => STATUSES.indexOf(one));
    const length = codes.length;
    return [
      key,
      SeriesEvaluation.of(
        { key, values: readSeriesKey(key), base, length, state: undefined, next: 1 },
        {
          status: codes,
          causes: new Uint8Array(length),
          run: new Uint8Array(length),
          bits: new Uint16Array(length),
        },
      ),
    ];
  });
  const none = { ready: EMPTY_SET, awaiting: EMPTY_SET, unavailable: EMPTY_SET, all: EMPTY_SET };
  return { key: node.key, node, universe: none, series: new Map(entries) };
}

/** Every partition of an evaluation, with its printed key, values by dimension (of time: as printed), and status. */
export function partitionsOf({ node, series }: AssetEvaluation) {
  const { space } = node;
  return [...series.values()].flatMap(({ values, base, status }) =>
    Array.from(status, (code, i) => ({
      key: printKey(space, { values, time: base + i }),
      values: { ...values, ...(space.time && { [space.time.name]: formatIndex(space.time.grain, base + i) }) },
      time: base + i,
      status: STATUSES[code] ?? 'none',
    })).filter((one) => one.status !== 'none' && !(one.status === 'leaving' && node.definition.kind === 'source')),
  );
}
