import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { indexAt } from '../../framework/partition/time.ts';
import type { Status } from '../../framework/plan/evaluate.ts';
import type { DataPreview, PartitionDetail, Zoom } from '../../framework/tui/model/data.ts';
import { defaultAxes } from '../../framework/tui/model/heat-axes.ts';
import { goTo, type HeatState, startHeat, toggleMark } from '../../framework/tui/model/heatmap.ts';
import { initialLineage } from '../../framework/tui/model/lineage.ts';
import { heatIndex, heatMap, heatShape } from '../../framework/tui/read/heatmap.ts';
import { age } from '../../framework/tui/view/format.ts';
import { listed, spoken, statuses, type Told, whenSpoken } from '../../framework/tui/view/linear.ts';
import { dataTold } from '../../framework/tui/view/linear-data.ts';
import {
  dateTold,
  errorTold,
  filterTold,
  helpTold,
  paletteTold,
  planTold,
  wipeTold,
} from '../../framework/tui/view/linear-dialogs.ts';
import { checksTold, runsTold, runTold, schedulesTold } from '../../framework/tui/view/linear-lists.ts';
import { assetsTold, explanationTold, lineageTold, partitionsTold } from '../../framework/tui/view/linear-screens.ts';
import { evaluationOf } from './heatmap-support.ts';
import { ASSETS, asset, CANDIDATES, counts, DAY, HELP, HOUR, NOW, tree } from './view/samples.ts';
import { CHECKS, PLAN, RUN, RUNS, SCHEDULES } from './view/samples-runs.ts';

/** As it is read to someone who comes here: what is still being read in brackets. */
function read({ title, summary, focus, reading }: Told): string {
  return [`${title}.`, ...summary, reading === undefined ? focus : `(${reading})`].filter(Boolean).join('\n');
}
const list = { filter: '', now: NOW };

describe('words', () => {
  test.each([
    [undefined, 'not worked out yet'],
    [counts({}), 'no partitions'],
    [counts({ fresh: 1 }), 'fresh'],
    [counts({ fresh: 1200 }), 'all 1,200 partitions fresh'],
    [counts({ stale: 1 }), '0 of 1 partition fresh, 1 stale'],
    [counts({ fresh: 4100, stale: 20, failed: 3 }), '4,100 of 4,123 partitions fresh, 20 stale, 3 failed'],
  ])('of statuses: %j', (given, words) => {
    expect(statuses(given)).toBe(words);
  });

  test.each([
    [1000, '1 second'],
    [90_000, '1 minute'],
    [5 * HOUR, '5 hours'],
    [47 * HOUR, '47 hours'],
    [59 * DAY, '59 days'],
    [60 * DAY, '2 months'],
    [800 * DAY, '2 years'],
  ])('of %i ms: %s', (ms, words) => {
    expect(spoken(ms)).toBe(words);
  });

  test('say the same as the short form that is drawn', () => {
    fc.assert(
      fc.property(
        fc.nat(2 ** 31).map((s) => s * 1000),
        (ms) => {
          const [, count, unit] = /^([\d,]+) (\w+?)s?$/.exec(spoken(ms)) ?? [];
          const short = unit === 'month' ? 'mo' : unit?.[0];
          expect(`${count}${short}`).toBe(age(ms));
        },
      ),
    );
  });

  test.each([
    [NOW, 'just now'],
    [NOW - 2 * HOUR, '2 hours ago'],
    [NOW + 3 * HOUR, 'in 3 hours'],
  ])('of the time %i: %s', (at, words) => {
    expect(whenSpoken(at, NOW)).toBe(words);
  });

  test('stand without the gaps of what is not there', () => {
    expect(listed('a', undefined, false, '', 'A sentence.', 'b')).toBe('a, A sentence, b');
  });
});

describe('assets', () => {
  const told = (cursor: number, more: Partial<Parameters<typeof assetsTold>[0]> = {}) =>
    read(assetsTold({ entries: tree(ASSETS, ['gold']), cursor, by: 'zone', ...list, ...more }));

  test('are an item each, their headings too', () => {
    const known = tree(ASSETS.filter(({ counts }) => counts));
    expect(told(0, { entries: known })).toMatchInlineSnapshot(`
      "Assets by zone.
      6 assets: 3,667,760 of 3,693,799 partitions fresh, 24,146 stale, 310 pending, 408 missing, 3 failed, 252 blocked, 824 awaiting, 96 unavailable.
      zone binance, open: 2 assets, 1,245,530 of 1,246,038 partitions fresh, 412 awaiting, 96 unavailable, item 1 of 10"
    `);
    expect(told(4, { entries: known })).toMatchInlineSnapshot(`
      "Assets by zone.
      6 assets: 3,667,760 of 3,693,799 partitions fresh, 24,146 stale, 310 pending, 408 missing, 3 failed, 252 blocked, 824 awaiting, 96 unavailable.
      bronze/binance-klines: running, 176 of 190 done, 1,204,120 of 1,204,310 partitions fresh, 14 stale, 176 missing, last run 5 minutes ago, 1,733,000,000 rows, 96.4 GB, raw, item 5 of 10"
    `);
    expect(told(6, { entries: known, filter: 'silver', by: 'group' })).toMatchInlineSnapshot(`
      "Assets by group matching silver.
      6 assets: 3,667,760 of 3,693,799 partitions fresh, 24,146 stale, 310 pending, 408 missing, 3 failed, 252 blocked, 824 awaiting, 96 unavailable.
      silver/klines: running, 4,120 of 24,525 done, 1,180,000 of 1,204,937 partitions fresh, 24,012 stale, 310 pending, 188 missing, 3 failed, 12 blocked, 412 awaiting, last run 3 hours ago, warn, 33h late (limit 2d), 1,733,000,000 rows, 71.2 GB, sql, item 7 of 10"
    `);
    expect(told(99, { entries: known })).toContain('item 10 of 10');
  });

  test('that were never looked at', () => {
    const unknown = asset('a/b', { known: false, counts: counts({}), lastAt: undefined });
    expect(told(1, { entries: tree([unknown]) })).toMatchInlineSnapshot(`
      "Assets by zone.
      1 asset: no partitions.
      Nothing was observed yet: o looks at the sources.
      a/b: no partitions as far as is known, for a source was never observed, last run never, sql, item 2 of 2"
    `);
  });

  test('while they are being read, and where there are none', () => {
    expect(told(0, { entries: undefined })).toMatchInlineSnapshot(`
      "Assets by zone.
      Reading the lake.
      (all)"
    `);
    expect(told(0, { entries: tree([asset('a/b', { counts: undefined })]) })).toMatchInlineSnapshot(`
      "Assets by zone.
      1 asset. Working out what is fresh.
      (all)"
    `);
    expect(told(0, { entries: [] })).toMatchInlineSnapshot(`
      "Assets by zone.
      This lake has no assets yet: they are declared in code."
    `);
    expect(told(0, { entries: [], filter: 'nothing' })).toMatchInlineSnapshot(`
      "Assets by zone matching nothing.
      No asset. Escape clears the filter."
    `);
  });
});

describe('lineage', () => {
  const graph = {
    order: ['silver/klines', 'gold/indicators', 'gold/other'],
    upstreamOf: () => [],
    downstreamOf: () => [],
    select: () => ({ keys: [] }),
  } as unknown as Parameters<typeof initialLineage>[0];
  const state = initialLineage(graph, 'gold/indicators');
  const info = {
    key: 'gold/indicators',
    kind: 'asset',
    description: undefined,
    columns: [{ name: 'rsi', type: 'DOUBLE' }],
    upstream: 1,
    downstream: 0,
    inputs: [],
  } as const;
  const input = {
    state,
    total: 3,
    info,
    upstream: ['silver/klines'],
    downstream: [],
    row: asset('gold/indicators', { counts: counts({ fresh: 1 }) }),
    trace: undefined,
  };

  test('names what an asset reads and what reads it', () => {
    expect(read(lineageTold(input))).toMatchInlineSnapshot(`
      "Lineage, 3 assets.
      Left goes to what an asset reads, right to what reads it, up and down to those beside it.
      gold/indicators, reads silver/klines, read by nothing, fresh"
    `);
  });

  test('of a selection, with what could not be done', () => {
    const message = { text: 'Nothing reads gold/indicators', hint: undefined, column: undefined };
    const shown = { ...state, shown: ['gold/indicators'], selection: 'gold/indicators', message };
    expect(read(lineageTold({ ...input, state: shown }))).toMatchInlineSnapshot(`
      "Lineage of gold/indicators, 1 of 3 assets.
      Left goes to what an asset reads, right to what reads it, up and down to those beside it.
      Nothing reads gold/indicators. gold/indicators, reads silver/klines, read by nothing, fresh"
    `);
  });

  test('of a column', () => {
    const trace = {
      asset: 'gold/indicators',
      column: 'rsi',
      upstream: new Map([['silver/klines', ['close', 'open']]]),
      downstream: new Map(),
      unknown: new Map(),
      edges: new Set<string>(),
    };
    expect(lineageTold({ ...input, trace }).focus).toMatchInlineSnapshot(
      `"gold/indicators, column rsi DOUBLE, from silver/klines close and open, to no column, fresh"`,
    );
    const unknown = new Map([['gold/indicators', 'it is computed by a function']]);
    expect(lineageTold({ ...input, trace: { ...trace, upstream: new Map(), unknown } }).focus).toMatchInlineSnapshot(
      `"gold/indicators, column rsi DOUBLE, from what cannot be told: it is computed by a function, to no column, fresh"`,
    );
  });

  test('waits for what the statuses are', () => {
    expect(lineageTold({ ...input, row: asset('gold/indicators', { counts: undefined }) }).reading).toBe('focus');
  });
});

const detail: PartitionDetail = {
  asset: 'silver/klines',
  kind: 'asset',
  partition: 'symbol=BTCUSDT/date=2024-01-05',
  status: 'stale',
  causes: [
    { depth: 0, text: 'data: its input bronze/klines changed', status: undefined },
    { depth: 1, text: 'bronze/klines symbol=BTCUSDT/date=2024-01-05: fresh', status: 'fresh' },
  ],
  rows: 1440,
  bytes: 61_234,
  version: '0f3a',
  codeVersion: 'c0ff',
  computedAt: Date.UTC(2024, 0, 6, 3, 4, 5),
  run: 'm4x1',
  file: 'silver/klines/2024-01.parquet',
  error: undefined,
  checks: [{ check: 'no_gaps', severity: 'warn', failedRows: 3 }],
};
const FAILED: PartitionDetail = {
  ...detail,
  status: 'failed',
  error: { message: 'Out of range', hint: 'Look at line 3.', attempts: 2 },
  checks: [],
};

describe('partitions', () => {
  const day = (text: string): number => indexAt('day', Date.parse(text));
  const statusesOf = (from: number): Status[] =>
    Array.from({ length: 40 }, (_, i): Status => (from + i === day('2024-01-05') ? 'stale' : 'fresh'));
  const index = heatIndex(
    evaluationOf({
      grain: 'day',
      listed: { market: ['spot', 'um'], symbol: undefined },
      series: ['BTCUSDT', 'ETHUSDT'].map((symbol, i) => ({
        values: { market: 'spot', symbol },
        base: day('2024-01-01') + i * 3,
        status: statusesOf(day('2024-01-01') + i * 3),
      })),
    }),
  );
  const at = (row: number, column: number, zoom: Zoom = 'partition', make = (state: HeatState) => state) => {
    const axes = { ...defaultAxes(index.dimensions), rows: 'symbol', zoom };
    const shape = heatShape(index, axes);
    const window = { rows: 1, columns: 1 };
    const state = goTo(make(goTo(startHeat(axes, shape, window), shape, window, 0, 0)), shape, window, row, column);
    const map = heatMap(index, state, { firstRow: state.row, rows: 1, firstColumn: state.column, columns: 1 });
    return { map, shape, state };
  };

  test('are a cell each, with what made it as it is', () => {
    expect(read(partitionsTold({ ...at(0, 4), detail }))).toMatchInlineSnapshot(`
      "Partitions of lab/table, symbol down, time by day to the right.
      2 rows, 43 columns: 78 of 80 partitions fresh, 2 stale.
      BTCUSDT, 2024-01-05, stale: its input bronze/klines changed"
    `);
    expect(partitionsTold({ ...at(0, 0), detail: { ...detail, status: 'fresh', causes: [] } }).focus).toBe(
      'BTCUSDT, 2024-01-01, fresh',
    );
    expect(partitionsTold({ ...at(0, 4), detail: FAILED }).focus).toBe('BTCUSDT, 2024-01-05, stale: Out of range');
  });

  test('wait for what there is to say of the cell, where there is one', () => {
    expect(partitionsTold({ ...at(0, 4), detail: undefined }).reading).toBe('focus');
    const empty = partitionsTold({ ...at(1, 0), detail: undefined });
    expect([empty.reading, empty.focus]).toEqual([undefined, 'ETHUSDT, 2024-01-01, no partition']);
  });

  test('by month, and a range of them', () => {
    expect(partitionsTold({ ...at(0, 0, 'month'), detail }).focus).toMatchInlineSnapshot(
      `"BTCUSDT, 2024-01, 31 partitions, 30 fresh, the worst stale: its input bronze/klines changed"`,
    );
    const shape = at(0, 0).shape;
    expect(
      partitionsTold({ ...at(1, 4, 'partition', (state) => toggleMark(state, shape)), detail }).focus,
    ).toMatchInlineSnapshot(
      `"ETHUSDT, 2024-01-05, stale: its input bronze/klines changed, marked 2 by 5: time=2024-01-01..2024-01-05"`,
    );
  });

  test('where there are none', () => {
    const nothing = heatIndex(evaluationOf({ grain: 'day', listed: {}, series: [] }));
    const axes = defaultAxes(nothing.dimensions);
    const shape = heatShape(nothing, axes);
    const state = startHeat(axes, shape, { rows: 1, columns: 1 });
    const map = heatMap(nothing, state, { firstRow: 0, rows: 1, firstColumn: 0, columns: 1 });
    expect(read(partitionsTold({ map, shape, state, detail: undefined }))).toMatchInlineSnapshot(`
      "Partitions of lab/table, time to the right.
      There are none. They appear when the sources upstream have been observed."
    `);
  });

  test('one of them, with all that is known of it', () => {
    expect(read(explanationTold(detail))).toMatchInlineSnapshot(`
      "silver/klines, symbol=BTCUSDT/date=2024-01-05.
      stale: has content, to be computed again.
      1,440 rows, 61.2 kB, computed 2024-01-06 03:04:05 UTC, run m4x1, version 0f3a, code c0ff, file silver/klines/2024-01.parquet.
      Check no_gaps, warn: 3 rows.
      data: its input bronze/klines changed
      level 1: bronze/klines symbol=BTCUSDT/date=2024-01-05: fresh"
    `);
    expect(read(explanationTold(FAILED))).toContain('It failed 2 times in a row: Out of range Look at line 3.');
    expect(read(explanationTold({ ...detail, kind: 'source', status: 'leaving' }))).toContain(
      'leaving: at the source, but not wanted here.',
    );
    expect(read(explanationTold(undefined))).toMatchInlineSnapshot(`
      "One partition.
      Reading it.
      (all)"
    `);
  });
});

describe('runs', () => {
  test('are an item each', () => {
    const told = (cursor: number, filter = '') => read(runsTold({ rows: RUNS, cursor, filter, now: NOW }));
    expect(told(0)).toMatchInlineSnapshot(`
      "Runs.
      5 runs.
      running: materialize silver/*, started 3 minutes ago, so far 3m 07s, 4,296 computed, 3 failed, run 20260508T140000-9a3e, item 1 of 5"
    `);
    expect(told(2, 'gold')).toMatchInlineSnapshot(`
      "Runs matching gold.
      5 runs.
      failed: materialize gold/returns+, started 24 hours ago, took 4.4 s, 12 computed, 240 failed, error: gold/returns symbol=BTCUSDT/date=2026-05-07: Binder Error: column "close" must appear in the GROUP BY clause, run 20260507T140000-1c55, item 3 of 5"
    `);
    expect(told(4)).toMatchInlineSnapshot(`
      "Runs.
      5 runs.
      lost: materialize, started 37 days ago, 20 computed, error: it never said that it finished, and its process is gone, run 20260401T000000-beef, item 5 of 5"
    `);
    expect(read(runsTold({ rows: [], cursor: 0, ...list }))).toMatchInlineSnapshot(`
      "Runs.
      Nothing ever ran here. m on the assets computes what is chosen there."
    `);
    expect(read(runsTold({ rows: undefined, cursor: 0, ...list }))).toMatchInlineSnapshot(`
      "Runs.
      Reading the runs.
      (all)"
    `);
  });

  test('one of them: its assets, and the line of the log that one is at', () => {
    const told = (offset: number, follow: boolean) => runTold(RUN, RUN.row.run, { offset, follow }, NOW);
    expect(read(told(0, true))).toMatchInlineSnapshot(`
      "Run 20260508T140000-9a3e.
      running: materialize silver/*, started 3 minutes ago, so far 3m 07s, 4,296 computed, 3 failed.
      binance/klines-daily: done, 1 of 1 done
      bronze/binance-klines: computing, 176 of 190 done
      silver/klines: computing, 4,117 of 24,525 done, 3 failed
      silver/funding: observing
      gold/returns: waiting, 0 of 404 done
      14:03:05, silver/klines, computed 512 partitions of exchange=binance/market=spot, line 6 of 6"
    `);
    expect(told(1, false).focus).toMatchInlineSnapshot(
      `"14:00:01, binance/klines-daily, observed 1,204,818 partitions, 14 changed, line 2 of 6"`,
    );
    expect(read(runTold(undefined, 'm4x1', { offset: 0, follow: true }, NOW))).toMatchInlineSnapshot(`
      "Run m4x1.
      Reading it.
      (all)"
    `);
  });
});

test('checks say what failed', () => {
  const told = (cursor: number) => read(checksTold({ rows: CHECKS, cursor, ...list }));
  expect(told(0)).toMatchInlineSnapshot(`
    "Checks.
    4 checks.
    silver/klines, ohlc-in-order, error, blocks what reads it: 2 of 1,180,002 partitions failed, The high is not below, and the low not above, any other price of a candle, newest failure exchange=binance/market=spot/symbol=LUNAUSDT/date=2022-05-12, 2 rows, 2 hours ago, open_time=2022-05-12 03:14:00  open=0.0041  high=0.0039, open_time=2022-05-12 03:15:00  open=0.0039  high=0.0038, item 1 of 4"
  `);
  expect(told(2)).toMatchInlineSnapshot(`
    "Checks.
    4 checks.
    silver/funding, rate-in-bounds, error: all 38,110 partitions passed, item 3 of 4"
  `);
  expect(told(3)).toMatchInlineSnapshot(`
    "Checks.
    4 checks.
    gold/returns, not-null, error, blocks what reads it: not checked yet, item 4 of 4"
  `);
});

test('schedules say when', () => {
  const NOBODY = { daemon: undefined, problem: undefined };
  const told = (cursor: number) => read(schedulesTold({ ...NOBODY, rows: SCHEDULES, cursor, now: NOW }));
  expect(told(0)).toMatchInlineSnapshot(`
    "Schedules.
    2 schedules.
    No daemon is active: nothing runs unasked.
    hourly-candles: 5 * * * * UTC, next in 2 minutes, last 58 minutes ago, succeeded, it was due; 12 partitions computed: silver/klines (data 12), materialize-stale +gold/*, item 1 of 2"
  `);
  expect(told(1)).toMatchInlineSnapshot(`
    "Schedules.
    2 schedules.
    No daemon is active: nothing runs unasked.
    monthly-archive: 0 6 2 * * Europe/Berlin, paused, last 6 days ago, failed: 3 partitions, observe binance/*, item 2 of 2"
  `);
  expect(read(schedulesTold({ ...NOBODY, rows: [], cursor: 0, now: NOW }))).toMatchInlineSnapshot(`
    "Schedules.
    No schedules yet. They are declared in code, beside the assets, or under 'schedules:' in the configuration, and run by the daemon."
  `);
});

describe('data', () => {
  const preview: DataPreview = {
    asset: 'silver/klines',
    partition: undefined,
    first: {
      columns: [
        { name: 'symbol', type: 'VARCHAR', numeric: false },
        { name: 'close', type: 'DOUBLE', numeric: true },
      ],
      rows: [
        ['BTCUSDT', '42000.5'],
        ['ETHUSDT', 'NULL'],
      ],
      more: true,
    },
    last: undefined,
    stats: [
      { name: 'symbol', type: 'VARCHAR', nulls: 0, distinct: 2, min: 'BTCUSDT', max: 'ETHUSDT' },
      { name: 'close', type: 'DOUBLE', nulls: 1, distinct: 1, min: undefined, max: undefined },
    ],
    candles: [
      { at: Date.UTC(2024, 0, 1), open: 1, high: 4, low: 0.5, close: 2 },
      { at: Date.UTC(2024, 0, 2), open: 2, high: 3, low: 1, close: 2.5 },
    ],
    rowCount: 1200,
  };
  const sql = {
    text: '',
    caret: undefined,
    running: false,
    error: undefined,
    result: undefined,
    tookMs: undefined,
    history: undefined,
  };
  const input = { tab: 'rows', preview, error: undefined, row: 0, column: 0, sql } as const;
  const told = (more: Partial<Parameters<typeof dataTold>[0]>) =>
    read(dataTold({ ...input, ...more }, 'silver/klines'));

  test('a row at a time, or a value of it', () => {
    expect(told({})).toMatchInlineSnapshot(`
      "Data of silver/klines, rows.
      1,200 rows, 2 columns.
      The first 2 are here.
      symbol BTCUSDT, close 42000.5, row 1 of 2"
    `);
    expect(told({ row: 1, column: 1 })).toMatchInlineSnapshot(`
      "Data of silver/klines, rows.
      1,200 rows, 2 columns.
      The first 2 are here.
      close NULL, row 2 of 2, column 2 of 2"
    `);
  });

  test('statistics and candles', () => {
    expect(told({ tab: 'statistics' })).toMatchInlineSnapshot(`
      "Data of silver/klines, statistics.
      Statistics of 2 columns.
      symbol: VARCHAR, no nulls, about 2 distinct, from BTCUSDT to ETHUSDT, item 1 of 2"
    `);
    expect(told({ tab: 'statistics', row: 9 })).toMatchInlineSnapshot(`
      "Data of silver/klines, statistics.
      Statistics of 2 columns.
      close: DOUBLE, 1 null, about 1 distinct, item 2 of 2"
    `);
    expect(told({ tab: 'chart' })).toMatchInlineSnapshot(`
      "Data of silver/klines, chart.
      2 candles from 2024-01-01 00:00 to 2024-01-02 00:00 UTC: opens at 1, closes at 2.5, lowest 0.5, highest 4."
    `);
    expect(told({ tab: 'chart', preview: { ...preview, candles: [] } })).toMatchInlineSnapshot(`
      "Data of silver/klines, chart.
      There are no candles: they are of one series with a time and open, high, low and close."
    `);
  });

  test('while it is being read, and what went wrong', () => {
    expect(told({ preview: undefined })).toMatchInlineSnapshot(`
      "Data of silver/klines, rows.
      Reading it.
      (all)"
    `);
    expect(told({ error: { message: 'It is a source.', hint: 'Look at another.' } })).toMatchInlineSnapshot(`
      "Data of silver/klines, rows.
      Error: It is a source.
      Look at another."
    `);
  });

  test('SQL: the prompt, the answer, what is wrong', () => {
    const asked = (more: Partial<Parameters<typeof dataTold>[0]['sql']>) =>
      told({ tab: 'sql', sql: { ...sql, ...more } });
    expect(asked({ caret: 0 })).toMatchInlineSnapshot(`
      "SQL prompt.
      Assets are tables, such as SELECT * FROM silver.klines LIMIT 20. Enter asks, up and down bring back what was asked before, escape leaves."
    `);
    expect(asked({ caret: 0, running: true })).toMatchInlineSnapshot(`
      "SQL prompt.
      Running.
      (all)"
    `);
    expect(asked({ result: preview.first, tookMs: 12 })).toMatchInlineSnapshot(`
      "SQL.
      Result: 2 rows and more in 12 ms.
      symbol BTCUSDT, close 42000.5, row 1 of 2"
    `);
    expect(asked({ error: { message: 'No such table: klinse' } })).toMatchInlineSnapshot(`
      "SQL.
      Error: No such table: klinse"
    `);
  });
});

describe('dialogs', () => {
  test('keys', () => {
    expect(read(helpTold(HELP))).toMatchInlineSnapshot(`
      "Keys.
      Everywhere:
      1 or … or 7, screens: Show a screen
      :, command: Go to anything or do anything by typing a part of its name
      esc, back: Back to where one came from
      ?, help: These keys
      q or ctrl-c, quit: Leave; what runs goes on until it can stop
      Lists:
      j or ↓, down: 
      k or ↑, up: 
      /, filter: Show only what contains some words
      Assets:
      m, materialize: Show what is to be computed and what it costs, then do it
      o, observe: not now, the lake was opened read-only
      w, wipe: Take data out of the lake
      Escape closes the keys."
    `);
  });

  test('palette', () => {
    const told = (chosen: number) => paletteTold({ query: 'ma', candidates: CANDIDATES, chosen });
    expect(read(told(0))).toMatchInlineSnapshot(`
      "Go to or do.
      Type a command, a screen or an asset. Up and down choose, enter takes it, escape leaves.
      materialize, command, m, compute what is chosen, item 1 of 3"
    `);
    expect([told(1).focus, told(2).focus]).toMatchInlineSnapshot(`
      [
        "silver/market-makers, asset, item 2 of 3",
        "observe sources matching, command, o, not now: read-only, item 3 of 3",
      ]
    `);
    expect(paletteTold({ query: 'xyz', candidates: [], chosen: 0 }).focus).toBe('Nothing is called that.');
  });

  test('plan', () => {
    expect(read(planTold(PLAN, 1))).toMatchInlineSnapshot(`
      "Materialize silver/*.
      24,525 partitions to compute, 404 more if what they read really changes.
      30 batches, 812 files to write, 190 downloads of 41.2 MB.
      It takes up to 12m 25s.
      252 partitions cannot be computed now.
      Enter runs it. Escape leaves it.
      silver/klines: 24,335 to compute, 310 perhaps, 12 cannot be computed now, 24,012 code changed, 188 missing, 135 data changed, asset 2 of 3"
    `);
    expect(read(planTold({ ...PLAN, will: 0, may: 0, steps: [], partitions: 'date=2024' }, 0))).toMatchInlineSnapshot(`
      "Materialize silver/*, partitions date=2024.
      Nothing to do: everything that can be computed is up to date.
      Escape closes it."
    `);
    expect(read(planTold(undefined, 0))).toMatchInlineSnapshot(`
      "Plan.
      Working out what there is to do.
      (all)"
    `);
  });

  test('wipe, date, filter, error', () => {
    const wipe = { asset: 'silver/klines', consequences: ['12 partitions leave the lake.'], expected: 'klines' };
    expect(read(wipeTold(wipe))).toMatchInlineSnapshot(`
      "Wipe silver/klines.
      12 partitions leave the lake.
      Type klines and press enter to go on. Escape leaves it."
    `);
    expect(read(dateTold(undefined))).toMatchInlineSnapshot(`
      "Go to a date.
      A year, a month or a day, such as 2024-01-31; then enter. Escape leaves it."
    `);
    expect(dateTold('Write a time.').focus).toBe('Write a time.');
    expect(read(filterTold(checksTold({ rows: CHECKS, cursor: 3, ...list })))).toMatchInlineSnapshot(`
      "Filter.
      Type, then enter. Escape drops it.
      4 checks. gold/returns, not-null, error, blocks what reads it: not checked yet, item 4 of 4"
    `);
    expect(
      read(errorTold({ title: 'The run ended', message: 'No room.\nNone at all.', hint: 'Make some.' })),
    ).toMatchInlineSnapshot(`
      "Error: The run ended.
      No room.
      None at all.
      Make some.
      Escape closes it."
    `);
  });
});
