// What does not compile. `messages.test.ts` compiles this file without the expectations and shows what the compiler says.
import {
  all,
  asset,
  at,
  check,
  columns,
  dimension,
  double,
  earlier,
  firstAvailable,
  from,
  ifPresent,
  materializedWithin,
  only,
  overlapping,
  partitionKey,
  rowsWhere,
  same,
  self,
  source,
  sql,
  staticDimension,
  timestamp,
  unique,
  window,
  within,
} from 'crypto-lakehouse';
import { describe, test } from 'vitest';
import {
  bronze,
  bronzeMonthly,
  date,
  exchange,
  market,
  month,
  opaque,
  partitions,
  silver,
  symbol,
  table,
} from './lake.ts';

const inputs = { klines: silver };
const query = () => sql`SELECT 1`;

describe('a misspelt column', () => {
  test('of an input in a query', () => {
    asset('gold/x', {
      ...table,
      partitions,
      inputs,
      // @ts-expect-error
      query: ({ klines }) => sql`SELECT ${klines.clsoe} FROM ${klines}`,
    });
  });
  test('of a file in a query', () => {
    asset('gold/x', {
      ...table,
      partitions,
      inputs: { raw: bronze },
      // @ts-expect-error
      query: ({ raw }) => sql`SELECT ${raw.opn} FROM ${raw}`,
    });
  });
  test('that only one alternative has', () => {
    const raw = firstAvailable(from(bronzeMonthly, { month: overlapping() }), bronze);
    // @ts-expect-error
    asset('gold/x', { ...table, partitions, inputs: { raw }, query: ({ raw: r }) => sql`SELECT ${r.count} FROM ${r}` });
  });
  test('of the asset itself', () => {
    const before = self({ date: earlier({ days: 1 }) });
    asset('gold/x', {
      ...table,
      partitions,
      inputs: { before },
      // @ts-expect-error
      query: ({ before: b }) => sql`SELECT ${b.closs} FROM ${b}`,
    });
  });
  test('of an input in a compute function', () => {
    asset('gold/x', {
      ...table,
      partitions,
      inputs,
      compute: async ({ inputs: { klines } }) => {
        // @ts-expect-error
        return (await klines.rows()).map((row) => ({ open_time: row.open_time, close: Number(row.clsoe) }));
      },
    });
  });
  test('of an input read as arrays', () => {
    asset('gold/x', {
      ...table,
      partitions,
      inputs,
      compute: async ({ inputs: { klines } }) => {
        // @ts-expect-error
        await klines.columns(['clsoe']);
        return [];
      },
    });
  });
  test('in sortBy', () => {
    // @ts-expect-error
    asset('gold/x', { columns: table.columns, sortBy: ['open_tme'], partitions, inputs, query });
  });
  test('in timeColumn', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, timeColumn: 'opentime', partitions, inputs, query });
  });
  test('in a check', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, checks: [unique('open_tme')], partitions, inputs, query });
  });
  test('in a check of several columns', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, checks: [check('x', ['close', 'opn'], query)], partitions, inputs, query });
  });
  test('in the callback of a check', () => {
    asset('gold/x', {
      ...table,
      // @ts-expect-error
      checks: [rowsWhere('x', ['close'], ({ clsoe }) => sql`${clsoe} < 0`)],
      partitions,
      query,
    });
  });
});

describe('a misspelt dimension or input', () => {
  test('in a query', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions, inputs, query: (_, { partition }) => sql`SELECT ${partition.symbl}` });
  });
  test('in a compute function', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions, compute: ({ partition }) => (partition.values.symbl ? [] : []) });
  });
  test('an unknown input', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions, inputs, query: ({ kline }) => sql`SELECT 1 FROM ${kline}` });
  });
});

describe('an input whose dimensions differ', () => {
  test('a listed one is missing here', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions: { exchange, market, date }, inputs, query });
  });
  test('the time dimension is missing here', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions: { exchange, market, symbol }, inputs, query });
  });
  test('one is missing there', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions: { ...partitions, quantile: staticDimension(['p50']) }, inputs, query });
  });
  test('the time dimension is missing there', () => {
    const timeless = asset('silver/symbols', { ...table, partitions: { market }, query });
    // @ts-expect-error
    asset('gold/x', { ...table, partitions: { market, date }, inputs: { timeless }, query });
  });
  test('one has other values', () => {
    // @ts-expect-error
    asset('gold/x', {
      ...table,
      partitions: { ...partitions, market: staticDimension(['spot', 'cm']) },
      inputs,
      query,
    });
  });
  test('one is of another kind', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions: { ...partitions, symbol: staticDimension(['BTCUSDT']) }, inputs, query });
  });
  test('time has another grain', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions: { exchange, market, symbol, date: month }, inputs, query });
  });
  test('time has another name', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions: { exchange, market, symbol, month }, inputs, query });
  });
  test('several, of several inputs', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions: { exchange, market }, inputs: { klines: silver, opaque }, query });
  });
  test('a mapping leaves one out', () => {
    // @ts-expect-error
    asset('gold/x', {
      ...table,
      partitions: { exchange, market },
      inputs: { k: from(silver, { symbol: all() }) },
      query,
    });
  });
  test('also where it is read if present', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions: { exchange, market, date }, inputs: { k: ifPresent(silver) }, query });
  });
  test('of one alternative, whatever the other says', () => {
    const k = firstAvailable(from(silver, { symbol: all() }), silver);
    // @ts-expect-error
    asset('gold/x', { ...table, partitions: { exchange, market, date }, inputs: { k }, query });
  });
});

describe('a mapping that does not fit', () => {
  test('of a dimension the upstream has not', () => {
    // @ts-expect-error
    from(silver, { symbl: all() });
  });
  test('a listed one on time', () => {
    // @ts-expect-error
    from(silver, { date: only('2020-01-01') });
  });
  test('one of time on a listed dimension', () => {
    // @ts-expect-error
    from(silver, { symbol: window({ days: 1 }) });
  });
  test('at() on a listed dimension', () => {
    // @ts-expect-error
    from(silver, { market: at('2020-01-01') });
  });
  test('same() and dimension() on time', () => {
    // @ts-expect-error
    from(silver, { date: same() });
    // @ts-expect-error
    from(silver, { date: dimension('month') });
  });
  test('only() of a value there is not', () => {
    // @ts-expect-error
    from(silver, { market: only('spott') });
  });
  test('earlier() of another asset', () => {
    // @ts-expect-error
    from(silver, { date: earlier({ days: 1 }) });
  });
  test('a window of the asset itself', () => {
    // @ts-expect-error
    self({ date: window({ days: 3 }) });
  });
  test('another series of the asset itself', () => {
    // @ts-expect-error
    self({ symbol: all(), date: earlier({ days: 1 }) });
  });
  test('self() over what is not the time dimension', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions, inputs: { before: self({ dat: earlier({ days: 1 }) }) }, query });
  });
});

describe('a partition key', () => {
  test('with an unknown dimension', () => {
    // @ts-expect-error
    partitionKey(silver, { market: 'spot', symbl: 'BTCUSDT', date: '2020-01-01' });
  });
  test('with an unknown value', () => {
    // @ts-expect-error
    partitionKey(silver, { market: 'spott', symbol: 'BTCUSDT', date: '2020-01-01' });
  });
  test('with a time of another grain', () => {
    // @ts-expect-error
    partitionKey(silver, { market: 'spot', symbol: 'BTCUSDT', date: '2020-01' });
  });
  test('that is not complete', () => {
    // @ts-expect-error
    partitionKey(silver, { symbol: 'BTCUSDT', date: '2020-01-01' });
  });
});

describe('a compute function that returns', () => {
  test('a column of another type', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions, inputs, compute: async ({ inputs: { klines } }) => klines.rows() });
  });
  test('a column of another type, at once', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, compute: () => [{ open_time: new Date(0), close: '1' }] });
  });
  test('NULL where the column has none', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, compute: () => [{ open_time: null, close: 1 }] });
  });
  test('rows without a column', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, compute: () => [{ close: 1 }] });
  });
  test('rows with a column too many', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, compute: () => [{ open_time: new Date(0), close: 1, clsoe: 2 }] });
  });
  test('one row', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, compute: async () => ({ open_time: new Date(0), close: 1 }) });
  });
  test('bytes for a table', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, compute: async () => new Uint8Array() });
  });
  test('rows for a file', () => {
    const format = { type: 'bytes', extension: '.json', columns: [] } as const;
    // @ts-expect-error
    asset('bronze/x', { format, partitions, inputs, compute: ({ inputs: { klines } }) => klines.rows() });
  });
});

describe('a freshness policy', () => {
  test('by data time without a time dimension', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, partitions: { market }, query, freshness: within({ hours: 30 }) });
  });
  test('by data time without any dimension', () => {
    // @ts-expect-error
    asset('gold/x', { ...table, query, freshness: [within({ hours: 30 }), materializedWithin({ days: 1 })] });
  });
  test('by data time, of a source', () => {
    // @ts-expect-error
    source('binance/x', { partitions: { market }, observe: async function* () {}, freshness: within({ hours: 30 }) });
  });
  test('of no length', () => {
    // @ts-expect-error
    within({});
  });
  test('in another unit', () => {
    // @ts-expect-error
    within({ hours: 30 }, { warn: { weeks: 1 } });
  });
});

describe('what there is not', () => {
  test('a source with inputs', () => {
    // @ts-expect-error
    source('binance/x', { inputs, observe: async function* () {} });
  });
  test('a misspelt option', () => {
    // @ts-expect-error
    asset('gold/x', { columns: columns({ at: timestamp(), x: double() }), sortby: ['at'], query });
  });
  test('a template with something else in it', () => {
    // @ts-expect-error
    sql`SELECT ${{ a: 1 }}`;
    // @ts-expect-error
    sql`SELECT ${undefined}`;
  });
});
