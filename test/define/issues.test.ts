import { describe, expect, test } from 'vitest';
import {
  all,
  asset,
  at,
  bytes,
  check,
  columns,
  daily,
  date as dateColumn,
  decimal,
  defineLakehouse,
  dimension,
  double,
  dynamicDimension,
  earlier,
  firstAvailable,
  from,
  hourly,
  monthly,
  only,
  overlapping,
  rowsWhere,
  same,
  self,
  source,
  sql,
  staticDimension,
  text,
  timestamp,
  unique,
  valuesBy,
  window,
  zipCsv,
} from '../../framework/index.ts';
import { issuesOf, refused } from './support.ts';

// What the compiler refuses already is written here as code that nobody compiled.
type Untyped = never;

const market = staticDimension(['spot', 'um']);
const symbol = dynamicDimension();
const date = daily({ start: '2020-01-01' });
const month = monthly({ start: '2020-01' });
const table = { columns: columns({ open_time: timestamp(), close: double() }), sortBy: ['open_time'] } as const;
const query = () => sql`SELECT 1`;
const up = asset('silver/up', { ...table, partitions: { market, symbol, date }, query });

describe('the key and the names', () => {
  test('of assets', () => {
    expect(
      refused(asset('klines', { ...table, query }), source('Binance/klines', { observe: async function* () {} })),
    ).toMatchInlineSnapshot(`
      "bad-key klines: an asset key is zone/name in lower case letters, digits and _ => e.g. silver/klines
      bad-key Binance/klines: an asset key is zone/name in lower case letters, digits and _ => e.g. silver/klines"
    `);
  });
  test('of dimensions', () => {
    const partitions = { 'a-b': market, __p: market, start: symbol, Market: market, market };
    expect(refused(asset('gold/x', { ...table, partitions, query }))).toMatchInlineSnapshot(`
      "bad-name gold/x.partitions.a-b: a dimension is named in letters, digits and _, and does not start with a digit or __
      bad-name gold/x.partitions.__p: a dimension is named in letters, digits and _, and does not start with a digit or __
      case-collision gold/x.partitions.market: differs from 'Market' only in case, which SQL and some disks do not see
      bad-name gold/x.partitions.start: 'start' stands for the start of the partition's time in queries => Use another word"
    `);
  });
  test('of inputs', () => {
    const inputs = { 'a b': up, raw: up, Raw: up };
    expect(
      refused(asset('gold/x', { ...table, partitions: { market, symbol, date }, inputs, query })),
    ).toMatchInlineSnapshot(`
      "bad-name gold/x.inputs.a b: an input is named in letters, digits and _, and does not start with a digit or __
      case-collision gold/x.inputs.Raw: differs from 'raw' only in case, which SQL and some disks do not see"
    `);
  });
  test('of columns', () => {
    const shape = columns({
      open_time: timestamp(),
      Open_Time: timestamp(),
      'a b': text(),
      Market: text(),
      __target: text(),
    });
    const format = zipCsv({ columns: ['a', 'b', 'a', 'market'] });
    expect(
      refused(
        asset('gold/x', { columns: shape, sortBy: ['open_time'], partitions: { market }, query }),
        asset('bronze/x', { format, partitions: { market }, compute: () => new Uint8Array() }),
      ),
    ).toMatchInlineSnapshot(`
      "case-collision gold/x.columns.Open_Time: differs from 'open_time' only in case, which SQL and some disks do not see
      bad-name gold/x.columns.a b: a column is named in letters, digits and _, and does not start with a digit or __
      bad-name gold/x.columns.__target: a column is named in letters, digits and _, and does not start with a digit or __
      column-is-dimension gold/x.columns.Market: 'Market' is a partition dimension, which every row has already => Leave the column out
      duplicate-name bronze/x.format.a: a column of this name is there twice
      column-is-dimension bronze/x.format.market: 'market' is a partition dimension, which every row has already => Leave the column out"
    `);
  });
});

describe('partitions', () => {
  test('of values that cannot be', () => {
    const partitions = {
      none: staticDimension([]),
      empty: staticDimension(['a', '']),
      twice: staticDimension(['a', 'b', 'a']),
      cased: staticDimension(['1m', '1M']),
    };
    expect(refused(asset('gold/x', { ...table, partitions, query }))).toMatchInlineSnapshot(`
      "no-values gold/x.partitions.none: a static dimension needs at least one value
      empty-value gold/x.partitions.empty: a value is empty, which no directory can be named
      duplicate-value gold/x.partitions.twice: 'a' is listed twice
      case-collision gold/x.partitions.cased: '1m' and '1M' differ only in case, which is one directory on some disks => Use distinct words, e.g. 1mo instead of 1M"
    `);
  });
  test('of times that cannot be', () => {
    const partitions = {
      a: daily({ start: '2020-01', end: '2020-02-30' }),
      b: hourly({ start: '2020-01-02T00', end: '2020-01-01T23', lag: 0.5 }),
    };
    expect(refused(asset('gold/x', { ...table, partitions, query }))).toMatchInlineSnapshot(`
      "bad-time gold/x.partitions.a.start: '2020-01' is not a day => Write it like 2024-01-01
      bad-time gold/x.partitions.a.end: '2020-02-30' is not a day => Write it like 2024-01-01
      bad-time gold/x.partitions.b.end: ends (2020-01-01T23) before it starts (2020-01-02T00)
      bad-lag gold/x.partitions.b.lag: 0.5 is not a number of hours => Write -1 (the running one too), 0 or more
      two-time-dimensions gold/x.partitions: has 2 time dimensions (a, b), at most one is possible => Keep one as the dimension and make the other a column"
    `);
  });
});

describe('a table', () => {
  test('without columns, order and code', () => {
    expect(refused(asset('gold/x', {}))).toMatchInlineSnapshot(`
      "no-columns gold/x: an asset needs columns (a table) or a format (original bytes)
      one-compute gold/x: has neither query nor compute => Give exactly one"
    `);
    expect(refused(asset('gold/x', { columns: columns({}), query }))).toMatchInlineSnapshot(
      `"no-columns gold/x: an asset needs columns (a table) or a format (original bytes)"`,
    );
  });
  test('with too much', () => {
    expect(
      refused(
        asset('gold/x', { ...table, query, compute: () => [] }),
        asset('bronze/y', { columns: table.columns, format: bytes({ extension: '.x' }), packs: ['partition'], query }),
      ),
    ).toMatchInlineSnapshot(`
      "one-compute gold/x: has both query and compute => Give exactly one
      columns-and-format bronze/y: has both columns and a format => Columns of original files belong in the format: zipCsv({ columns: [...] })
      bad-packs bronze/y.packs: original files are kept one by one => Leave it out
      bytes-by-query bronze/y.query: original bytes cannot come from a query => Use compute and return bytes"
    `);
  });
  test('with columns that do not exist or do not fit', () => {
    const options = {
      columns: columns({
        open_time: timestamp(),
        day: dateColumn(),
        price: decimal(39, 8),
        fee: decimal(8, 9).nullable(),
      }),
      sortBy: ['open_tme', 'price'],
      timeColumn: 'day',
      checks: [unique('open_tim'), unique('open_time'), unique('open_time')],
      query,
    } as const;
    expect(refused(asset('gold/x', options as Untyped))).toMatchInlineSnapshot(`
      "bad-column gold/x.columns.price: precision is 1 to 38 and scale 0 to precision
      bad-column gold/x.columns.fee: precision is 1 to 38 and scale 0 to precision
      unknown-column gold/x.sortBy: there is no column 'open_tme' => Did you mean 'open_time'?
      unknown-column gold/x.checks.unique_open_tim: there is no column 'open_tim' => Did you mean 'open_time'?
      time-column-type gold/x.timeColumn: 'day' is not a timestamp()
      time-column-without-time gold/x.timeColumn: the asset has no time dimension
      duplicate-check gold/x.checks.unique_open_time: two checks have this name"
    `);
    expect(
      refused(asset('gold/y', { ...table, partitions: { date }, timeColumn: 'time' as Untyped, query })),
    ).toMatchInlineSnapshot(`"unknown-column gold/y.timeColumn: there is no column 'time' => Known: open_time, close"`);
  });
  test('that is not rowwise', () => {
    expect(refused(asset('gold/x', { ...table, rowwise: true, query }))).toMatchInlineSnapshot(
      `"rowwise gold/x.rowwise: needs a query, exactly one input and a timeColumn"`,
    );
  });
  test('in packs that cannot be', () => {
    expect(
      refused(
        asset('gold/a', { ...table, partitions: { date }, packs: [], query }),
        asset('gold/b', { ...table, partitions: { date }, packs: ['year', 'month'], query }),
        asset('gold/c', { ...table, partitions: { month }, packs: ['partition', 'month'], query }),
        asset('gold/d', { ...table, packs: ['year'], query }),
      ),
    ).toMatchInlineSnapshot(`
      "bad-packs gold/a.packs: [] is not some of partition, month, year, in this order
      bad-packs gold/b.packs: [year, month] is not some of partition, month, year, in this order
      bad-packs gold/c.packs: [partition, month] is not some of partition, year, in this order
      bad-packs gold/d.packs: [year] is not some of partition, in this order"
    `);
  });
  test('with a config that is not data', () => {
    expect(refused(asset('gold/x', { ...table, config: { scale: (x: number) => x }, query }))).toMatchInlineSnapshot(
      `"bad-config gold/x.config: A function has no canonical form => Use plain data: it is part of the code version"`,
    );
  });
});

describe('a query', () => {
  const partitions = { market, symbol, date };
  const inputs = { klines: up };
  const written = (
    q: (i: Record<string, Record<string, Untyped>>, c: { partition: Record<string, Untyped> }) => unknown,
  ) => refused(asset('gold/x', { ...table, partitions, inputs, query: q as Untyped }));

  test('that uses what there is not', () => {
    expect(
      [
        written(({ klines }) => sql`SELECT ${klines?.opn_time as Untyped}`),
        written(({ klines }) => sql`SELECT ${klines?.volume as Untyped}`),
        written((_, { partition }) => sql`SELECT ${partition.symbl as Untyped}`),
        written(({ kline }) => sql`SELECT 1 FROM ${kline as Untyped}`),
        written(({ klines }) => sql`SELECT '${klines?.close as Untyped}'`),
        written(() => 'SELECT 1'),
        written(() => undefined),
        written(() => {
          throw new Error('mine');
        }),
      ].join('\n'),
    ).toMatchInlineSnapshot(`
      "bad-query gold/x.query: input 'klines' has no column 'opn_time'. Did you mean 'open_time'?
      bad-query gold/x.query: input 'klines' has no column 'volume'. Known: open_time, close, market, symbol, date
      bad-query gold/x.query: the partition has no 'symbl'. Did you mean 'symbol'?
      bad-query gold/x.query: undefined cannot stand in an sql template: use an input, a column, a partition value, a literal or another sql template
      bad-query gold/x.query: the column 'close' stands inside quotes: leave the quotes out, values are quoted by themselves
      bad-query gold/x.query: must be an sql\`…\` template
      bad-query gold/x.query: must be an sql\`…\` template
      bad-query gold/x.query: mine"
    `);
  });
  test('that uses a column only one alternative has', () => {
    const other = asset('silver/other', {
      columns: columns({ open_time: timestamp(), open: double() }),
      sortBy: ['open_time'],
      partitions,
      query,
    });
    const input = firstAvailable(up, other);
    const q = ({ raw }: { raw: { close: Untyped } }) => sql`SELECT ${raw.close}`;
    expect(
      refused(asset('gold/x', { ...table, partitions, inputs: { raw: input }, query: q as Untyped })),
    ).toMatchInlineSnapshot(`
      "bad-query gold/x.query: input 'raw' has no column 'close'. Known: open_time, market, symbol, date
      alternatives-differ gold/x.inputs.raw: silver/up and silver/other have different columns => Alternatives of firstAvailable() need the same columns in the same order"
    `);
  });
  test('of the asset itself knows its own columns', () => {
    const q = ({ me }: { me: { closs: Untyped } }) => sql`SELECT ${me.closs}`;
    const before = self({ date: earlier({ days: 1 }) });
    expect(
      refused(asset('gold/x', { ...table, partitions, inputs: { me: before }, query: q as Untyped })),
    ).toMatchInlineSnapshot(`"bad-query gold/x.query: input 'me' has no column 'closs'. Did you mean 'close'?"`);
  });
  test('in a check', () => {
    const checks = [
      rowsWhere('a', ['close'], () => sql`${'x'}'`),
      check('b', [], ({ partition }) => sql`${partition.symbl as Untyped}`),
      check('c', [], ({ rows }) => sql`${(rows as unknown as { clse: Untyped }).clse}`),
      check('d', [], () => 'SELECT 1' as Untyped),
    ];
    expect(refused(asset('gold/x', { ...table, partitions, checks, query }))).toMatchInlineSnapshot(`
      "bad-check gold/x.checks.a: the value 'x' touches what stands beside it: put a space between
      bad-check gold/x.checks.b: the partition has no 'symbl'. Did you mean 'symbol'?
      bad-check gold/x.checks.c: input 'rows' has no column 'clse'. Did you mean 'close'?
      bad-check gold/x.checks.d: must be an sql\`…\` template"
    `);
  });
});

describe('an input', () => {
  const reads = (input: unknown, partitions: object = { market, symbol, date }, more: object = {}) =>
    refused(asset('gold/x', { ...table, partitions, inputs: { raw: input }, query, ...more } as Untyped));

  test('whose dimensions differ', () => {
    expect(
      [
        reads(up, { market, date }),
        reads(up, { market, symbol }),
        reads(up, { market, symbol, date, quantile: staticDimension(['p50']) }),
        reads(up, { market: staticDimension(['spot', 'cm']), symbol, date }),
        reads(up, { market, symbol: staticDimension(['BTCUSDT']), date }),
        reads(up, { market, symbol, date: month }),
        reads(up, { market, symbol, day: date }),
        reads(up, { market, symbol, month }),
        reads(asset('silver/timeless', { ...table, partitions: { market, symbol }, query })),
      ].join('\n'),
    ).toMatchInlineSnapshot(`
      "mapping-needed gold/x.inputs.raw.symbol: The upstream has a dimension 'symbol' that this asset does not have => Write symbol: all() to read every value, symbol: only('…') for some, or symbol: dimension('market') to take it from another dimension.
      mapping-needed gold/x.inputs.raw.date: The upstream is partitioned by 'date', this asset has no time => Write date: all() for every day, or date: at('2024-01-01').
      mapping-needed gold/x.inputs.raw: silver/up has no dimension 'quantile' => Write from(…, {}) to read the same partition for every quantile
      mapping-needed gold/x.inputs.raw.market: 'market' is defined differently in this asset and in the upstream => Write market: all() to read every value, market: only('spot') for some.
      mapping-needed gold/x.inputs.raw.symbol: 'symbol' is defined differently in this asset and in the upstream => Write symbol: all() to read every value, symbol: only('…') for some.
      mapping-needed gold/x.inputs.raw.date: This asset has one partition per month, the upstream one per day => Write date: overlapping() for every day that overlaps the month.
      mapping-needed gold/x.inputs.raw: silver/up has the time dimension 'date', this asset has 'day' => Write from(…, { date: overlapping() })
      mapping-needed gold/x.inputs.raw.date: This asset has one partition per month, the upstream one per day => Write date: overlapping() for every day that overlaps the month.
      mapping-needed gold/x.inputs.raw: silver/timeless has no dimension 'date' => Write from(…, {}) to read the same partition for every date"
    `);
  });
  test('whose mapping does not fit', () => {
    expect(
      [
        reads(from(up, { symbl: all() } as Untyped)),
        reads(from(up, { date: only('2020-01-01') } as Untyped)),
        reads(from(up, { symbol: window({ days: 1 }) } as Untyped)),
        reads(from(up, { market: only('spott' as Untyped) })),
        reads(from(up, { market: only() })),
        reads(from(up, { symbol: dimension('symbl') })),
        reads(from(up, { date: earlier({ days: 1 }) } as Untyped)),
        reads(from(up, { date: at('2024-01-01', '2024-03-01') })),
        reads(from(up, { date: at('yesterday') })),
        reads(from(up, { date: window({ days: 1.5 }) })),
        reads(from(up, { date: window({ bars: 400 }) })),
      ].join('\n'),
    ).toMatchInlineSnapshot(`
      "unknown-dimension gold/x.inputs.raw.symbl: silver/up has no dimension 'symbl' => Did you mean 'symbol'?
      wrong-mapping gold/x.inputs.raw.date: this mapping is not one of time => Use window(), overlapping(), all(), at() or timesBy()
      wrong-mapping gold/x.inputs.raw.symbol: this mapping is one of time => Use all(), only(), same(), dimension() or valuesBy()
      bad-partition-value gold/x.inputs.raw.market: 'market' has no value 'spott' => Did you mean 'spot'?
      bad-partition-value gold/x.inputs.raw.market: only() names no value of 'market'
      unknown-dimension gold/x.inputs.raw.symbol: This asset has no listed dimension 'symbl' to take 'symbol' from => Did you mean 'symbol'?
      earlier-needs-self gold/x.inputs.raw.date: earlier() relates an asset to itself => For another asset write a window() instead.
      times-not-adjacent gold/x.inputs.raw.date: The times 2024-01-01, 2024-03-01 have gaps between them => Declare one input for each.
      bad-partition-value gold/x.inputs.raw.date: 'yesterday' is not a time of 'date' => Write it like 2024-01-01.
      bad-window gold/x.inputs.raw.date: A window from -1.5 to 0 is not in whole numbers => Use a finer unit, e.g. hours for days.
      no-bar-length gold/x.inputs.raw.date: a window in bars needs their length => Give the asset the option bar: (values) => milliseconds"
    `);
  });
  test('of the asset itself', () => {
    expect(
      [
        reads(self({ date: window({ days: 1 }) } as Untyped)),
        reads(self({ date: all() } as Untyped)),
        reads(self({ symbol: all(), date: earlier({ days: 1 }) } as Untyped)),
        reads(self({ dat: earlier({ days: 1 }) })),
        reads(self({ date: earlier({ partitions: 0 }) })),
        reads(self({ date: earlier({ days: 1 }) }), { market }),
      ].join('\n'),
    ).toMatchInlineSnapshot(`
      "self-needs-earlier gold/x.inputs.raw.date: An asset can read itself only at an earlier time => Write earlier({ partitions: 1 }).
      self-needs-earlier gold/x.inputs.raw.date: An asset can read itself only at an earlier time => Write earlier({ partitions: 1 }).
      self-listed gold/x.inputs.raw.symbol: an asset reads itself in the same series only => Map its time alone: self({ … earlier() })
      unknown-dimension gold/x.inputs.raw.dat: gold/x has no dimension 'dat' => Did you mean 'date'?
      self-needs-earlier gold/x.inputs.raw.date: An asset can read itself only at an earlier time => Write earlier({ partitions: 1 }).
      bad-window gold/x.inputs.raw.date: earlier() cannot go back by 0 => Give a whole number of at least 1.
      unknown-dimension gold/x.inputs.raw.date: gold/x has no dimension 'date' => Known: market
      self-needs-earlier gold/x.inputs.raw.time: An asset can read itself only at an earlier time => Write earlier({ partitions: 1 })."
    `);
  });
  test('of alternatives that differ', () => {
    const other = asset('silver/other', {
      columns: columns({ close: double(), open_time: timestamp() }),
      sortBy: ['open_time'],
      partitions: { market, symbol, date },
      query,
    });
    expect(reads(firstAvailable(up, other))).toMatchInlineSnapshot(
      `"alternatives-differ gold/x.inputs.raw: silver/up and silver/other have different columns => Alternatives of firstAvailable() need the same columns in the same order"`,
    );
  });
  test('that maps well', () => {
    const partitions = { market: staticDimension(['spot', 'cm']), symbol, date };
    const inputs = {
      same: from(up, { market: same() }),
      named: from(up, { market: only('um'), symbol: dimension('symbol') }),
      byValue: from(up, { market: valuesBy('spot', () => ['spot']), date: at('2024-01-01', '2024-01-02') }),
      wide: from(up, { market: all(), symbol: all(), date: all() }),
    };
    const good = asset('gold/good', { ...table, partitions, inputs, query });
    const monthlyOne = asset('gold/month', {
      ...table,
      partitions: { market, symbol, month },
      inputs: { d: from(up, { date: overlapping() }) },
      query,
    });
    expect([...good.issues, ...monthlyOne.issues, ...up.issues]).toEqual([]);
    expect(good.inputs[0]).toEqual({
      name: 'same',
      need: 'required',
      alternatives: [{ asset: up, mapping: { time: { rule: 'same' }, listed: { market: { rule: 'same' } } } }],
    });
  });
});

test('all problems of all assets are reported together, with the file they stand in', () => {
  const a = asset('gold/a', { ...table, sortBy: ['opn' as Untyped], query });
  const b = asset('gold/b', { ...table, partitions: { symbol, date }, inputs: { a, up } as Untyped, query });
  const c = asset('Gold/c', { format: bytes({ extension: '.x' }) });
  const issues = issuesOf([b, c]);
  expect(issues.map(({ code, path }) => [code, ...path].join(' '))).toEqual([
    'mapping-needed gold/b inputs a',
    'mapping-needed gold/b inputs a',
    'unknown-column gold/a sortBy',
    'bad-key Gold/c',
    'one-compute Gold/c',
    'mapping-needed gold/b inputs up market',
  ]);
  expect(new Set(issues.map((issue) => issue.at?.file))).toEqual(new Set([import.meta.filename]));
});

test('declaring never throws', () => {
  expect(defineLakehouse({ assets: [asset('', {} as Untyped), source('', {} as Untyped)] }).assets).toHaveLength(2);
});
