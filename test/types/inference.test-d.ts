import {
  all,
  asset,
  at,
  type ColumnReference,
  check,
  columns,
  daily,
  dimension,
  double,
  earlier,
  firstAvailable,
  from,
  hourly,
  ifPresent,
  materializedWithin,
  only,
  overlapping,
  type PartitionKey,
  partitionKey,
  rowsWhere,
  type SqlReference,
  same,
  self,
  source,
  sql,
  staticDimension,
  type TypesOf,
  text,
  timesBy,
  timestamp,
  unique,
  valuesBy,
  weekly,
  window,
  within,
  yearly,
} from 'crypto-lakehouse';
import { describe, expectTypeOf, test } from 'vitest';
import {
  type archive,
  bronze,
  bronzeMonthly,
  date,
  everything,
  exchange,
  market,
  month,
  type opaque,
  partitions,
  silver,
  symbol,
  table,
} from './lake.ts';

interface SilverRow {
  open_time: Date;
  open: string;
  close: string;
  count: bigint | null;
}

describe('what an asset is', () => {
  test('its key, dimensions and columns', () => {
    expectTypeOf<TypesOf<typeof silver>>().not.toBeAny();
    expectTypeOf<TypesOf<typeof silver>['key']>().toEqualTypeOf<'silver/klines'>();
    expectTypeOf<keyof TypesOf<typeof silver>['dims']>().toEqualTypeOf<'exchange' | 'market' | 'symbol' | 'date'>();
    expectTypeOf<keyof TypesOf<typeof silver>['shape']>().toEqualTypeOf<'open_time' | 'open' | 'close' | 'count'>();
  });
  test('a source has no columns, and files have those of their format', () => {
    expectTypeOf<keyof TypesOf<typeof archive>['shape']>().toEqualTypeOf<never>();
    expectTypeOf<keyof TypesOf<typeof opaque>['shape']>().toEqualTypeOf<never>();
    expectTypeOf<keyof TypesOf<typeof bronzeMonthly>['shape']>().toEqualTypeOf<'open_time' | 'open' | 'close'>();
  });
  test('without partitions there are no dimensions', () => {
    const one = asset('gold/one', { ...table, compute: () => [] });
    expectTypeOf<keyof TypesOf<typeof one>['dims']>().toEqualTypeOf<never>();
  });
});

describe('compute', () => {
  test('reads rows of the upstream, each column in its type', () => {
    asset('gold/x', {
      ...table,
      partitions: { market },
      inputs: { all: everything },
      compute: async ({ inputs }) => {
        expectTypeOf(inputs.all.rows).not.toBeAny();
        const rows = await inputs.all.rows();
        expectTypeOf(rows).toEqualTypeOf<
          {
            at: Date;
            day: string;
            price: string;
            share: number | null;
            trades: bigint;
            bars: number | null;
            name: string;
            live: boolean;
          }[]
        >();
        return [];
      },
    });
  });
  test('of alternatives, the rows of any of them', () => {
    asset('gold/x', {
      ...table,
      partitions,
      inputs: { raw: firstAvailable(from(bronzeMonthly, { month: overlapping() }), bronze) },
      compute: async ({ inputs }) => {
        const [row] = await inputs.raw.rows();
        expectTypeOf(row).not.toBeAny();
        expectTypeOf(row).toEqualTypeOf<
          | { open_time: string; open: string; close: string }
          | { open_time: string; open: string; close: string; count: string }
          | undefined
        >();
        return [];
      },
    });
  });
  test('with an explicit mapping, if present, or both', () => {
    asset('gold/x', {
      ...table,
      partitions: { exchange, market, date },
      inputs: {
        mapped: from(silver, { symbol: all(), date: window({ days: 30 }) }),
        optional: ifPresent(from(silver, { symbol: only('BTCUSDT') })),
        alternatives: ifPresent(firstAvailable(from(silver, { symbol: all() }))),
      },
      compute: async ({ inputs }) => {
        expectTypeOf(await inputs.mapped.rows()).toEqualTypeOf<SilverRow[]>();
        expectTypeOf(await inputs.optional.rows()).toEqualTypeOf<SilverRow[]>();
        expectTypeOf(await inputs.alternatives.rows()).toEqualTypeOf<SilverRow[]>();
        return [];
      },
    });
  });
  test('its own rows at an earlier time', () => {
    asset('gold/x', {
      ...table,
      partitions,
      inputs: { before: self({ date: earlier({ days: 1 }) }) },
      compute: async ({ inputs }) => {
        const rows = await inputs.before.rows();
        expectTypeOf(rows).toEqualTypeOf<{ open_time: Date; close: number | null }[]>();
        return rows;
      },
    });
  });
  test('knows the values of its partition', () => {
    asset('gold/x', {
      ...table,
      partitions,
      compute: ({ partition }) => {
        expectTypeOf(partition.values.market).toEqualTypeOf<'spot' | 'um'>();
        expectTypeOf(partition.values.symbol).toEqualTypeOf<string>();
        expectTypeOf(partition.start).toEqualTypeOf<Date | undefined>();
        return [];
      },
    });
  });
  test('returns rows at once or later, fitting ones of any origin', () => {
    const row = { open_time: new Date(0), close: 1 };
    asset('gold/x', { ...table, compute: () => [row] });
    asset('gold/x', { ...table, compute: async () => [row, { ...row, close: null }] });
    asset('gold/x', {
      ...table,
      compute: () => {
        const rows = [];
        for (const close of [1, 2]) rows.push({ open_time: new Date(close), close });
        return rows;
      },
    });
    const fixed: readonly { readonly open_time: Date; readonly close: number }[] = [];
    asset('gold/x', { ...table, compute: () => fixed });
    // What the compiler does not know is looked at when it runs.
    asset('gold/x', { ...table, compute: () => JSON.parse('[]') });
    asset('gold/x', { ...table, compute: () => [JSON.parse('{}')] });
  });
});

describe('query', () => {
  test('has a reference for every column and dimension of an input', () => {
    asset('gold/x', {
      ...table,
      partitions,
      inputs: { klines: silver },
      query: ({ klines }, { partition }) => {
        expectTypeOf(klines).not.toBeAny();
        expectTypeOf(klines.open).toEqualTypeOf<ColumnReference>();
        expectTypeOf(klines.symbol).toEqualTypeOf<ColumnReference>();
        expectTypeOf<Extract<keyof typeof klines, string>>().toEqualTypeOf<
          'open_time' | 'open' | 'close' | 'count' | 'exchange' | 'market' | 'symbol' | 'date'
        >();
        expectTypeOf(partition.market).toEqualTypeOf<SqlReference>();
        expectTypeOf<keyof typeof partition>().toEqualTypeOf<
          'exchange' | 'market' | 'symbol' | 'date' | 'start' | 'end'
        >();
        return sql`SELECT ${klines.open} FROM ${klines} WHERE ${klines.open_time} >= ${partition.start}`;
      },
    });
  });
  test('of alternatives, the columns that all of them have', () => {
    asset('gold/x', {
      ...table,
      partitions,
      inputs: { raw: firstAvailable(from(bronzeMonthly, { month: overlapping() }), bronze) },
      query: ({ raw }) => {
        expectTypeOf<Extract<keyof typeof raw, string>>().toEqualTypeOf<
          'open_time' | 'open' | 'close' | 'exchange' | 'market' | 'symbol'
        >();
        return sql`SELECT ${raw.open} FROM ${raw}`;
      },
    });
  });
  test('of itself, its own columns and dimensions', () => {
    asset('gold/x', {
      ...table,
      partitions: { market, date },
      inputs: { before: self({ date: earlier({ days: 1 }) }) },
      query: ({ before }) => {
        expectTypeOf<Extract<keyof typeof before, string>>().toEqualTypeOf<'open_time' | 'close' | 'market' | 'date'>();
        return sql`SELECT ${before.close} FROM ${before}`;
      },
    });
  });
});

describe('checks', () => {
  test('take columns of the asset, and their callbacks hand out references', () => {
    asset('gold/x', {
      ...table,
      partitions,
      checks: [
        unique('open_time'),
        unique(['open_time', 'close']),
        rowsWhere('positive', ['close'], (row) => {
          expectTypeOf(row).toEqualTypeOf<{ readonly close: ColumnReference }>();
          return sql`${row.close} <= 0`;
        }),
        check('any', ['close', 'open_time'], ({ rows, partition }) => {
          expectTypeOf<Extract<keyof typeof rows, string>>().toEqualTypeOf<'close' | 'open_time'>();
          expectTypeOf(partition.market).toEqualTypeOf<SqlReference | undefined>();
          return sql`SELECT ${rows.close} FROM ${rows}`;
        }),
      ],
      compute: () => [],
    });
  });
});

describe('keys', () => {
  test('a value of every dimension, in its own form', () => {
    type Key = PartitionKey<TypesOf<typeof silver>['dims']>;
    expectTypeOf<Key>().not.toBeAny();
    expectTypeOf<Key['market']>().toEqualTypeOf<'spot' | 'um'>();
    expectTypeOf<Key['symbol']>().toEqualTypeOf<string>();
    expectTypeOf<Key['date']>().toEqualTypeOf<`${number}-${number}-${number}`>();
    const times = asset('gold/x', {
      ...table,
      partitions: {
        h: hourly({ start: '2020-01-01T00' }),
        w: weekly({ start: '2020-01-06' }),
        m: month,
        y: yearly({ start: '2020' }),
      },
      compute: () => [],
    });
    expectTypeOf<PartitionKey<TypesOf<typeof times>['dims']>>().toEqualTypeOf<{
      readonly h: `${number}-${number}-${number}T${number}`;
      readonly w: `${number}-${number}-${number}`;
      readonly m: `${number}-${number}`;
      readonly y: `${number}`;
    }>();
  });
  test('a dimension that has one value may be left out', () => {
    partitionKey(silver, { market: 'spot', symbol: 'BTCUSDT', date: '2020-01-01' });
    partitionKey(silver, { exchange: 'binance', market: 'spot', symbol: 'BTCUSDT', date: '2020-01-01' });
    expectTypeOf(partitionKey(everything, { market: 'um' })).toEqualTypeOf<string>();
  });
});

describe('mappings that fit', () => {
  test('of each kind of dimension', () => {
    from(silver, {});
    from(silver, { exchange: all(), market: only('um'), symbol: only('BTCUSDT', 'ETHUSDT'), date: all() });
    from(silver, { market: same(), symbol: dimension('base'), date: window({ bars: 400 }) });
    from(silver, { market: valuesBy('spot', () => ['spot']), date: at('2020-01-01') });
    const range = () => [0, 1] as const;
    const functions = { upstream: range, downstream: range };
    from(silver, { date: timesBy('mine', functions) });
    self({ date: timesBy('mine', functions) });
  });
  test('dimensions are the same if they are defined alike, in any order, from any start', () => {
    asset('gold/x', {
      ...table,
      partitions: {
        date: daily({ start: '2021-06-01' }),
        market: staticDimension(['um', 'spot']),
        symbol,
        exchange: staticDimension(['binance']),
      },
      inputs: { klines: silver },
      query: ({ klines }) => sql`SELECT ${klines.open} FROM ${klines}`,
    });
  });
  test('dimensions only this asset has are broadcast with from(asset, {})', () => {
    asset('gold/x', {
      columns: columns({ name: text(), value: double(), at: timestamp() }),
      sortBy: ['name'],
      partitions: { ...partitions, quantile: staticDimension(['p50', 'p99']), date },
      inputs: { klines: from(silver, {}), both: firstAvailable(from(silver, {}), from(silver, {})) },
      query: ({ klines }) => sql`SELECT ${klines.open} FROM ${klines}`,
    });
  });
});

test('a freshness policy may stand on assets and sources, by data time where there is time', () => {
  const policies = [within({ hours: 30 }, { warn: { hours: 26 } }), materializedWithin({ days: 1, hours: 2 })] as const;
  const made = asset('gold/x', { ...table, partitions, query: () => sql`SELECT 1`, freshness: policies });
  expectTypeOf<TypesOf<typeof made>['dims']>().toEqualTypeOf<typeof partitions>();
  asset('gold/y', { ...table, partitions: { market }, query: () => sql`SELECT 1`, freshness: policies[1] });
  asset('gold/z', { ...table, query: () => sql`SELECT 1`, freshness: [materializedWithin({ minutes: 5 })] });
  const observed = source('src/x', { partitions: { date }, observe: async function* () {}, freshness: policies[0] });
  expectTypeOf<TypesOf<typeof observed>['dims']>().toEqualTypeOf<{ readonly date: typeof date }>();
});
