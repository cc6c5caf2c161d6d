import {
  asset,
  columns,
  double,
  hourly,
  type LakeEvent,
  type Lakehouse,
  type PartitionKey,
  sql,
} from 'crypto-lakehouse';
import { expectPartitionwise, runAsset } from 'crypto-lakehouse/testing';
import { describe, expectTypeOf, test } from 'vitest';
import { archive, bronze, everything, market, silver } from './lake.ts';

// For the compiler only: none of it is run.

declare const lake: Lakehouse;

describe('lake.read', () => {
  test('rows have the partition columns and the columns of the asset', () => {
    const read = lake.read(silver, { symbol: 'BTCUSDT', date: '2024-01-01..2024-01-31' });
    expectTypeOf(read.rows).returns.resolves.toEqualTypeOf<
      {
        exchange: 'binance';
        market: 'spot' | 'um';
        symbol: string;
        date: string;
        open_time: Date;
        open: string;
        close: string;
        count: bigint | null;
      }[]
    >();
    expectTypeOf(read.partitions).returns.resolves.items.toEqualTypeOf<
      PartitionKey<{
        readonly exchange: typeof import('./lake.ts').exchange;
        readonly market: typeof import('./lake.ts').market;
        readonly symbol: typeof import('./lake.ts').symbol;
        readonly date: typeof import('./lake.ts').date;
      }>
    >();
  });
  test('columns narrow them', () => {
    const read = lake.read(everything, {}, { columns: ['price', 'market', 'share'] });
    expectTypeOf(read.rows).returns.resolves.toEqualTypeOf<
      { price: string; market: 'spot' | 'um'; share: number | null }[]
    >();
    expectTypeOf(read.batches).returns.toEqualTypeOf<
      AsyncIterable<{ price: string; market: 'spot' | 'um'; share: number | null }[]>
    >();
  });
  test('an hour is a Date, originals have text', () => {
    const hours = asset('gold/hours', {
      partitions: { market, hour: hourly({ start: '2024-01-01T00' }) },
      columns: columns({ x: double() }),
      sortBy: ['x'],
      compute: () => [],
    });
    expectTypeOf(lake.read(hours).rows).returns.resolves.toEqualTypeOf<
      { market: 'spot' | 'um'; hour: Date; x: number }[]
    >();
    expectTypeOf(lake.read(bronze, {}, { columns: ['open'] }).rows).returns.resolves.toEqualTypeOf<
      { open: string }[]
    >();
  });
  test('partitions are said in the words of the asset', () => {
    lake.read(silver, { market: 'spot', symbol: ['A', 'B*'], date: { from: '2024-01-01' } });
    lake.read(silver, { market: ['spot', 'u?'], date: ['2024', '2025-01..'] });
    // @ts-expect-error no such dimension
    lake.read(silver, { sybmol: 'BTCUSDT' });
    // @ts-expect-error no such value
    lake.read(silver, { market: 'sopt' });
    // @ts-expect-error a range is for times
    lake.read(silver, { symbol: { from: 'A' } });
    // @ts-expect-error no such column
    lake.read(silver, {}, { columns: ['clsoe'] });
  });
});

describe('lake.sql', () => {
  test('rows are what one says, and values what can be said in SQL', () => {
    const query = lake.sql<{
      n: bigint;
    }>`SELECT count(*) AS n FROM ${silver} WHERE symbol = ${'A'} AND x IN ${[1, 2n]}`;
    expectTypeOf(query.rows).returns.resolves.toEqualTypeOf<{ n: bigint }[]>();
    void lake.sql`FROM ${lake.read(silver)} WHERE ${sql`true`} AND ${new Date()} > at AND ${null} IS NULL`;
    // @ts-expect-error an object is no value
    void lake.sql`SELECT ${{ a: 1 }}`;
    // @ts-expect-error nor is undefined
    void lake.sql`SELECT ${undefined}`;
  });
});

test('events are told apart by their type', () => {
  const event = {} as LakeEvent;
  if (event.type === 'failed') expectTypeOf(event.failures[0]).exclude(undefined).toHaveProperty('error');
  // @ts-expect-error not of every event
  void event.failures;
});

describe('runAsset', () => {
  const partition = { market: 'spot', symbol: 'A', date: '2024-01-01' } as const;
  const row = { open_time: '1', open: '2', close: '3', count: '4' };
  test('inputs are those of the asset, rows those of the input, and what comes out those of the asset', () => {
    expectTypeOf(runAsset(silver, { inputs: { raw: 'bytes' }, partition }))
      .resolves.toHaveProperty('rows')
      .items.toEqualTypeOf<{
        open_time: Date;
        open: string;
        close: string;
        count: bigint | null;
      }>();
    void runAsset(silver, { inputs: { raw: [{ partition, rows: [row] }] }, partition });
    void runAsset(bronze, { inputs: { archive: new Uint8Array() }, partition });
    // @ts-expect-error no such input
    void runAsset(silver, { inputs: { rwa: 'bytes' }, partition });
    // @ts-expect-error a source has no rows
    void runAsset(bronze, { inputs: { archive: [row] }, partition });
    // @ts-expect-error no such dimension
    void runAsset(silver, { inputs: { raw: 'bytes' }, partition: { ...partition, x: '1' } });
    // @ts-expect-error the partition does not say which symbol
    void runAsset(silver, { inputs: { raw: 'bytes' }, partition: { market: 'spot', date: '2024-01-01' } });
    // @ts-expect-error a source computes nothing, but has no inputs either
    void runAsset(archive, { inputs: { raw: 'bytes' }, partition });
  });
  test('rows of a table have its columns; those that may be NULL may be left out', () => {
    const gold = asset('gold/x', {
      partitions: { market },
      inputs: { everything },
      columns: columns({ x: double() }),
      sortBy: ['x'],
      query: ({ everything }) => sql`SELECT max(${everything.share}) AS x FROM ${everything}`,
    });
    const whole = { at: new Date(), day: '2024-01-01', price: '1', trades: 1n, name: 'a', live: true };
    const partition = { market: 'um' } as const;
    void runAsset(gold, { inputs: { everything: [whole, { ...whole, share: 1, bars: null }] }, partition });
    const { price: _, ...without } = whole;
    // @ts-expect-error a column is missing
    void runAsset(gold, { inputs: { everything: [without] }, partition });
    // @ts-expect-error a column has another type
    void runAsset(gold, { inputs: { everything: [{ ...whole, trades: 1 }] }, partition });
    // @ts-expect-error what is no column
    void runAsset(gold, { inputs: { everything: [{ ...whole, prize: 1 }] }, partition });
    void expectPartitionwise(gold, { inputs: { everything: [{ partition, rows: [whole] }] } });
    // @ts-expect-error rows without a column
    void expectPartitionwise(gold, { inputs: { everything: [{ partition, rows: [without] }] } });
  });
});
