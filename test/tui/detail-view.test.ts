import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { STATUSES } from '../../framework/plan/evaluate.ts';
import type { PartitionDetail } from '../../framework/tui/model/data.ts';
import { detailLines, detailView } from '../../framework/tui/view/detail.ts';
import {
  ASCII,
  amounts,
  COLOURED,
  expectAscii,
  expectFilled,
  expectWithin,
  instants,
  maybe,
  PLAIN,
  seen,
  sizes,
  texts,
  themes,
} from './view/fitting.ts';

const FAILED: PartitionDetail = {
  asset: 'silver/klines',
  kind: 'asset',
  partition: 'exchange=binance/market=spot/symbol=BTCUSDT/date=2024-01-31',
  status: 'failed',
  causes: [
    {
      depth: 0,
      text: 'data: 4 input partitions changed after it had read them (at revision 1,204)',
      status: undefined,
    },
    {
      depth: 1,
      text: 'bronze/klines exchange=binance/market=spot/symbol=BTCUSDT/date=2024-01-31: stale, changed at revision 1,310',
      status: 'stale',
    },
    { depth: 2, text: 'code: its code changed from 1f0c to 77aa', status: undefined },
    { depth: 3, text: 'binance/klines-daily symbol=BTCUSDT/date=2024-01-31: fresh', status: 'fresh' },
    { depth: 1, text: '… and 3 more partitions', status: undefined },
    { depth: 0, text: 'failed: the last attempt failed; the next run tries again', status: undefined },
  ],
  rows: 1440,
  bytes: 61_234,
  version: '0f3a99aa00bb11cc22dd33ee44ff5566',
  codeVersion: '1f0c',
  computedAt: Date.UTC(2024, 1, 1, 4, 5, 6),
  run: 'm4x1',
  file: 'silver/klines/market=spot/symbol=BTCUSDT/2024-01.m4x1.parquet',
  error: {
    message: 'the query failed: Conversion Error: Could not convert string "dear" to DECIMAL(18,4)\nLINE 1: SELECT',
    hint: 'Look at the original.',
    attempts: 3,
  },
  checks: [
    { check: 'no_gaps', severity: 'warn', failedRows: 3 },
    { check: 'price_positive', severity: 'error', failedRows: 1 },
  ],
};

describe('the detail of a partition', () => {
  test('on a screen of its own', () => {
    expect(seen(detailView({ size: { columns: 80, rows: 40 }, detail: FAILED, offset: 0 }, PLAIN))).toMatchSnapshot();
  });
  test('in a narrow pane, in ASCII', () => {
    expect(seen(detailLines(FAILED, 38, ASCII))).toMatchSnapshot();
  });
  test('of what is fresh is short', () => {
    const fresh: PartitionDetail = {
      ...FAILED,
      status: 'fresh',
      causes: [],
      error: undefined,
      checks: [],
      rows: undefined,
      partition: '',
    };
    expect(seen(detailLines(fresh, 60, PLAIN))).toMatchInlineSnapshot(`
      "silver/klines
      not partitioned
      ■ fresh  up to date

      size      61.2 kB
      computed  2024-02-01 04:05:06 UTC
      run       m4x1
      version   0f3a99aa00bb11cc22dd33ee44ff5566
      code      1f0c
      file      silver/klines/market=spot/symbol=BTCUSDT/2024-01.m
                4x1.parquet"
    `);
  });
  test('scrolls, and no further than to its end', () => {
    const size = { columns: 60, rows: 10 };
    const all = detailLines(FAILED, 57, PLAIN);
    const at = (offset: number) =>
      seen(detailView({ size, detail: FAILED, offset }, PLAIN))
        .split('\n')
        .map((line) => line.replace(/ *[│┃]$/, '').slice(1));
    expect(at(3)).toEqual(seen(all.slice(3, 13)).split('\n'));
    expect(at(999)).toEqual(seen(all.slice(-10)).split('\n'));
  });
  test('says that it reads', () => {
    expect(seen(detailView({ size: { columns: 30, rows: 3 }, detail: undefined, offset: 0 }, PLAIN))).toContain(
      'Reading …',
    );
  });
  test('colours say nothing that the shapes do not', () => {
    expect(seen(detailLines(FAILED, 50, COLOURED))).toBe(seen(detailLines(FAILED, 50, PLAIN)));
  });

  const details: fc.Arbitrary<PartitionDetail> = fc.record({
    asset: texts,
    kind: fc.constantFrom('source', 'asset'),
    partition: texts,
    status: fc.constantFrom(...STATUSES),
    causes: fc.array(fc.record({ depth: fc.nat(40), text: texts, status: maybe(fc.constantFrom(...STATUSES)) }), {
      maxLength: 8,
    }),
    rows: maybe(amounts),
    bytes: maybe(amounts),
    version: maybe(texts),
    codeVersion: maybe(texts),
    computedAt: maybe(instants),
    run: maybe(texts),
    file: maybe(texts),
    error: maybe(fc.record({ message: texts, hint: maybe(texts), attempts: fc.integer({ min: 1, max: 9 }) })),
    checks: fc.array(fc.record({ check: texts, severity: fc.constantFrom('warn', 'error'), failedRows: amounts }), {
      maxLength: 3,
    }),
  });
  test('fills any place exactly, whatever it is about', () => {
    fc.assert(
      fc.property(sizes, details, fc.integer({ min: -5, max: 99 }), themes, (size, detail, offset, theme) => {
        expectFilled(detailView({ size, detail, offset }, theme), size);
        expectWithin(detailLines(detail, size.columns, theme), size.columns);
      }),
      { numRuns: 120 },
    );
  });
  test('draws with ASCII alone where it must', () => {
    fc.assert(
      fc.property(sizes, (size) =>
        expectAscii(detailLines({ ...FAILED, causes: FAILED.causes.slice(0, 4) }, size.columns, ASCII)),
      ),
    );
  });
});
