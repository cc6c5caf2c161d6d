import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DataPreview, Grid } from '../../framework/tui/model/data.ts';
import { DATA_TABS, type DataInput, dataView, type SqlPrompt } from '../../framework/tui/view/data.ts';
import {
  ASCII,
  amounts,
  COLOURED,
  expectAscii,
  expectFilled,
  maybe,
  PLAIN,
  seen,
  sizes,
  texts,
  themes,
} from './view/fitting.ts';

const day = Date.UTC(2024, 0, 31);
const kline = (i: number): string[] => [
  `2024-01-31 ${String((i / 60) | 0).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}:00`,
  (42_000 + Math.sin(i / 9) * 150).toFixed(2),
  i % 5 === 3 ? 'NULL' : `note ${i}`,
  String(i * i),
];
const GRID: Grid = {
  columns: [
    { name: 'open_time', type: 'TIMESTAMP', numeric: false },
    { name: 'close', type: 'DECIMAL(18,8)', numeric: true },
    { name: 'note', type: 'VARCHAR', numeric: false },
    { name: 'trades', type: 'BIGINT', numeric: true },
  ],
  rows: Array.from({ length: 20 }, (_, i) => kline(i)),
  more: true,
};
const PREVIEW: DataPreview = {
  asset: 'silver/klines',
  partition: 'symbol=BTCUSDT/date=2024-01-31',
  first: GRID,
  last: { ...GRID, rows: Array.from({ length: 20 }, (_, i) => kline(1420 + i)) },
  stats: [
    {
      name: 'open_time',
      type: 'TIMESTAMP',
      nulls: 0,
      distinct: 1440,
      min: '2024-01-31 00:00:00',
      max: '2024-01-31 23:59:00',
    },
    { name: 'close', type: 'DECIMAL(18,8)', nulls: 0, distinct: 1201, min: '41850.12000000', max: '42149.90000000' },
    { name: 'note', type: 'VARCHAR', nulls: 288, distinct: 1150, min: 'note 0', max: 'note 999' },
    { name: 'empty', type: 'DOUBLE', nulls: 1440, distinct: 0, min: undefined, max: undefined },
  ],
  candles: Array.from({ length: 60 }, (_, i) => {
    const price = (at: number) => 42_000 + Math.sin(at / 6) * 150 + at;
    return {
      at: day + i * 1_440_000,
      open: price(i),
      close: price(i + 1),
      high: Math.max(price(i), price(i + 1)) + 20,
      low: Math.min(price(i), price(i + 1)) - 25,
    };
  }),
  rowCount: 1440,
};
const SQL: SqlPrompt = {
  text: '',
  caret: undefined,
  running: false,
  error: undefined,
  result: undefined,
  tookMs: undefined,
  history: undefined,
};
const input = (some: Partial<DataInput>): DataInput => ({
  size: { columns: 80, rows: 19 },
  tab: 'rows',
  preview: PREVIEW,
  error: undefined,
  row: 0,
  column: 0,
  sql: SQL,
  ...some,
});
const shown = (some: Partial<DataInput>, theme = PLAIN) => seen(dataView(input(some), theme));

describe('the Data screen', () => {
  test('first rows', () => expect(shown({})).toMatchSnapshot());
  test('what lies between the first and the last rows is one line', () =>
    expect(shown({ row: 14, size: { columns: 60, rows: 12 } }, ASCII)).toMatchSnapshot());
  test('columns to the right', () => expect(shown({ column: 2, size: { columns: 40, rows: 8 } })).toMatchSnapshot());
  test('columns that do not fit are counted', () =>
    expect(shown({ size: { columns: 40, rows: 6 } })).toMatchSnapshot());
  test('rows that are both first and last are shown once', () => {
    const last = { ...GRID, rows: Array.from({ length: 20 }, (_, i) => kline(10 + i)) };
    const lines = shown({ preview: { ...PREVIEW, last, rowCount: 30 }, size: { columns: 80, rows: 40 } }).split('\n');
    expect(lines.slice(3, 33).map((line) => Number(line.trim().split(/ +/)[0]))).toEqual(
      Array.from({ length: 30 }, (_, i) => i + 1),
    );
    expect(lines.slice(33).join('')).toBe('');
  });
  test('statistics', () => expect(shown({ tab: 'statistics', size: { columns: 100, rows: 8 } })).toMatchSnapshot());
  test('types of columns are whole where there is room for them', () => {
    const [name, type] = ['a_column_with_a_rather_long_name', 'TIMESTAMP WITH TIME ZONE'];
    const stat = { name, type, nulls: 0, distinct: 12, min: '2024-01-31 00:00:00+00', max: 'x'.repeat(60) };
    const text = shown({ tab: 'statistics', preview: { ...PREVIEW, stats: [stat] }, size: { columns: 120, rows: 8 } });
    expect(text).toContain(`${name}  ${type}  `);
    expect(text).toContain('2024-01-31 00:00');
  });
  test('candles', () => expect(shown({ tab: 'chart' })).toMatchSnapshot());
  test('candles in ASCII, more than there is room for', () =>
    expect(shown({ tab: 'chart', size: { columns: 50, rows: 14 } }, ASCII)).toMatchSnapshot());
  test('no candles', () =>
    expect(shown({ tab: 'chart', preview: { ...PREVIEW, candles: [] } })).toContain('There are no candles.'));
  test('no rows', () => {
    expect(shown({ preview: { ...PREVIEW, first: { ...GRID, rows: [] }, last: undefined, rowCount: 0 } })).toContain(
      'It has no rows.',
    );
  });
  test('while it reads, and when it cannot', () => {
    expect(shown({ preview: undefined })).toContain('Reading …');
    const error = {
      message: 'src/days is a source: the lake keeps no data of it',
      hint: 'Look at an asset that reads it.',
    };
    expect(shown({ preview: undefined, error })).toMatchSnapshot();
    // The prompt needs no preview.
    expect(shown({ preview: undefined, error, tab: 'sql' })).toContain('Type a statement and press enter.');
  });

  describe('the SQL prompt', () => {
    const sql = (some: Partial<SqlPrompt>, size = { columns: 70, rows: 9 }) =>
      shown({ tab: 'sql', size, sql: { ...SQL, ...some } });
    test('what to type', () => expect(sql({ caret: 0 })).toMatchSnapshot());
    test('a result, with how long it took', () =>
      expect(
        sql({ text: 'SELECT * FROM silver.klines', result: GRID, tookMs: 123, history: { index: 3, of: 12 } }),
      ).toMatchSnapshot());
    test('an error, with the caret below what it means', () => {
      const message =
        'Binder Error: Referenced column "pric" not found in FROM clause!\nCandidate bindings: "price", "open_price", "close_price", "adjusted_price"\nLINE 1: SELECT pric FROM silver.klines\n               ^';
      expect(
        sql(
          { text: 'SELECT pric FROM silver.klines', error: { message, hint: 'Look at the columns.' } },
          { columns: 50, rows: 12 },
        ),
      ).toMatchSnapshot();
    });
    test('while it runs', () => expect(sql({ text: 'SELECT 1', running: true })).toContain('running …'));
  });

  test('NULL is faint, and nothing else of the data', () => {
    const lines = dataView(input({ size: { columns: 80, rows: 10 } }), COLOURED).slice(3);
    const faint = (text: string) => COLOURED.faint(text.padEnd('note 1420'.length));
    expect(lines.filter((line) => line.includes(faint('NULL')))).toEqual([lines[3]]);
    expect(lines.filter((line) => line.includes(faint('note 4')))).toEqual([]);
  });

  const grids: fc.Arbitrary<Grid> = fc.nat(6).chain((width) =>
    fc.record({
      columns: fc.array(fc.record({ name: texts, type: texts, numeric: fc.boolean() }), {
        minLength: width,
        maxLength: width,
      }),
      rows: fc.array(fc.array(texts, { minLength: width, maxLength: width }), { maxLength: 12 }),
      more: fc.boolean(),
    }),
  );
  const numbers = fc.oneof(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), fc.constantFrom(0, 1, 1));
  const previews: fc.Arbitrary<DataPreview> = fc
    .record({
      first: grids,
      tail: fc.nat(12),
      stats: fc.array(
        fc.record({
          name: texts,
          type: texts,
          nulls: amounts,
          distinct: amounts,
          min: maybe(texts),
          max: maybe(texts),
        }),
        { maxLength: 6 },
      ),
      candles: fc.array(
        fc.record({
          at: fc.integer({ min: 0, max: 4e12 }),
          open: numbers,
          high: numbers,
          low: numbers,
          close: numbers,
        }),
        { maxLength: 300 },
      ),
      more: fc.nat(1e9),
    })
    .map(({ first, tail, stats, candles, more }) => ({
      asset: 'a/b',
      partition: undefined,
      first,
      last: tail === 0 ? undefined : { ...first, rows: first.rows.slice(0, tail) },
      stats,
      candles,
      rowCount: first.rows.length + more,
    }));
  const prompts: fc.Arbitrary<SqlPrompt> = fc.record({
    text: texts,
    caret: maybe(fc.nat(20)),
    running: fc.boolean(),
    error: maybe(fc.record({ message: texts, hint: maybe(texts) })),
    result: maybe(grids),
    tookMs: maybe(amounts),
    history: maybe(fc.constant({ index: 3, of: 1234 })),
  });
  test('fills any place exactly, whatever the data', () => {
    const at = fc.integer({ min: -2, max: 30 });
    fc.assert(
      fc.property(
        sizes,
        fc.constantFrom(...DATA_TABS),
        maybe(previews),
        maybe(fc.record({ message: texts, hint: maybe(texts) })),
        at,
        at,
        prompts,
        themes,
        (size, tab, preview, error, row, column, sql, theme) => {
          expectFilled(dataView({ size, tab, preview, error, row, column, sql }, theme), size);
        },
      ),
      { numRuns: 400 },
    );
  });
  test('draws with ASCII alone where it must', () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom(...DATA_TABS), (size, tab) => {
        expectAscii(dataView(input({ size, tab, sql: { ...SQL, result: GRID } }), ASCII));
        expectAscii(dataView(input({ size, tab, preview: undefined }), ASCII));
      }),
    );
  });
});
