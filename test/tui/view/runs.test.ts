import { describe, expect, test } from 'vitest';
import type { RunLine } from '../../../framework/tui/model/data.ts';
import { type RunInput, runView } from '../../../framework/tui/view/run.ts';
import { runsView } from '../../../framework/tui/view/runs.ts';
import { ASCII, COLOURED, PLAIN, seen } from './fitting.ts';
import { NOW } from './samples.ts';
import { progress, RUN, RUNS } from './samples-runs.ts';

const runs = (columns: number, theme = PLAIN) =>
  seen(runsView({ rows: RUNS, cursor: 0, offset: 0, now: NOW, size: { columns, rows: 8 } }, theme));
const input = (some: Partial<RunInput> = {}): RunInput => ({
  detail: RUN,
  offset: 0,
  follow: true,
  now: NOW,
  size: { columns: 80, rows: 19 },
  ...some,
});
const run = (some: Partial<RunInput>, theme = PLAIN) => seen(runView(input(some), theme));

describe('the history of runs', () => {
  test('80 columns', () =>
    expect(runs(80)).toMatchInlineSnapshot(`
      " outcome       started      took  what                       partitions
       ▶ running      3m ago    3m 07s  materialize silver/*       3 failed …
       ✓ succeeded    3h ago    1m 02s  materialize tag:hourly     1,204 computed …
       ✗ failed      24h ago     4.4 s  materialize gold/returns+  240 failed …
       ⊘ cancelled   36h ago     8.0 s  observe binance/*
       ? lost        37d ago            materialize                20 computed

      "
    `));
  test('80 columns in ASCII', () =>
    expect(runs(80, ASCII)).toMatchInlineSnapshot(`
      " outcome       started      took  what                       partitions
       > running      3m ago    3m 07s  materialize silver/*       3 failed ~
       + succeeded    3h ago    1m 02s  materialize tag:hourly     1,204 computed ~
       x failed      24h ago     4.4 s  materialize gold/returns+  240 failed ~
       / cancelled   36h ago     8.0 s  observe binance/*
       ? lost        37d ago            materialize                20 computed

      "
    `));
  test('160 columns', () =>
    expect(runs(160)).toMatchInlineSnapshot(`
      " outcome       started      took  what                       partitions                    error                                           run
       ▶ running      3m ago    3m 07s  materialize silver/*       3 failed  4,296 computed                                                      20260508T140000-9a3e
       ✓ succeeded    3h ago    1m 02s  materialize tag:hourly     1,204 computed  88 unchanged                                                  20260508T110000-77b0
       ✗ failed      24h ago     4.4 s  materialize gold/returns+  240 failed  12 computed       gold/returns symbol=BTCUSDT/date=2026-05-07: …  20260507T140000-1c55
       ⊘ cancelled   36h ago     8.0 s  observe binance/*                                                                                        20260507T020000-0e01
       ? lost        37d ago            materialize                20 computed                                                                   20260401T000000-beef

      "
    `));

  test.each([
    ['while reading', undefined, undefined, 'Reading the log …'],
    ['nothing', [], undefined, 'Nothing ever ran here.'],
    ['nothing matches', [], { text: 'gold' }, 'No run matches gold'],
  ])('instead of a list, %s', (_, rows, filter, sentence) => {
    const lines = runsView({ rows, filter, cursor: 0, offset: 0, now: NOW, size: { columns: 80, rows: 9 } }, PLAIN);
    expect(seen(lines)).toContain(sentence);
  });
});

describe('a run', () => {
  test('80 columns, following its log', () =>
    expect(run({})).toMatchInlineSnapshot(`
      " ▶ running  materialize silver/*                           20260508T140000-9a3e
         started 3m ago, 2026-05-08 14:00:00 UTC  took 3m 07s  3 failed …

       asset                                              done        failed     left
       ✓ binance/klines-daily   ━━━━━━━━━━━━━━━            1/1  100%
       ▶ bronze/binance-klines  ━━━━━━━━━━━━━━─        176/190   93%             14 s
       ▶ silver/klines          ━━╍────────────   4,120/24,525   17%       3   9m 54s
       ○ silver/funding         observing
       · gold/returns           waiting                  0/404    0%
      ── log following ───────────────────────────────────────────────────────────────
       14:00:00 · Materializing silver/*: 24,715 partitions in 31 batches
       14:00:01 · binance/klines-daily  observed 1,204,818 partitions, 14 changed
       14:00:27 ✓ bronze/binance-klines  computed 190 partitions in 2 batches
       14:01:07 ! silver/klines  check ohlc-in-order: 2 rows in market=spot/symbol=…
       14:02:07 ✗ silver/klines  symbol=BTCUSDT/interval=1m/date=2021-03-04:
                  Conversion Error: could not convert string "7887.63551305" to
                  INT64 in column ignore, line 1204, while reading
                  lake/bronze/binance-klines/symbol=BTCUSDT/2021-03-04.csv
       14:03:05 · silver/klines  computed 512 partitions of exchange=binance/market…"
    `));
  test('120 columns, searching', () =>
    expect(
      run({ follow: false, search: { text: 'silver', found: 4, at: 1 }, size: { columns: 120, rows: 19 } }),
    ).toMatchInlineSnapshot(`
      " ▶ running  materialize silver/*                                                                   20260508T140000-9a3e
         started 3m ago, 2026-05-08 14:00:00 UTC  took 3m 07s  3 failed  4,296 computed

       asset                                                 done        failed      rate     left     took  changed     rows
       ✓ binance/klines-daily   ━━━━━━━━━━━━━━━━━━            1/1  100%             0.1/s              17 s
       ▶ bronze/binance-klines  ━━━━━━━━━━━━━━━━━─        176/190   93%             1.0/s     14 s   2m 50s      170     253k
       ▶ silver/klines          ━━━╍──────────────   4,120/24,525   17%       3    34.3/s   9m 54s   2m 00s    4,000     5.9M
       ○ silver/funding         observing                                                             3.0 s
       · gold/returns           waiting                     0/404    0%
      ── log not following ──────────────────────────────────────────────────────────────────────────────── /silver, 1 of 4 ──
       14:00:00 · Materializing silver/*: 24,715 partitions in 31 batches
       14:00:01 · binance/klines-daily   observed 1,204,818 partitions, 14 changed
       14:00:27 ✓ bronze/binance-klines  computed 190 partitions in 2 batches
       14:01:07 ! silver/klines          check ohlc-in-order: 2 rows in market=spot/symbol=LUNAUSDT/date=2022-05-12
       14:02:07 ✗ silver/klines          symbol=BTCUSDT/interval=1m/date=2021-03-04: Conversion Error: could not convert
                                         string "7887.63551305" to INT64 in column ignore, line 1204, while reading
                                         lake/bronze/binance-klines/symbol=BTCUSDT/2021-03-04.csv
       14:03:05 · silver/klines          computed 512 partitions of exchange=binance/market=spot
      "
    `));
  test('in ASCII, only the log', () =>
    expect(run({ logOnly: true, size: { columns: 80, rows: 8 } }, ASCII)).toMatchInlineSnapshot(`
      " > running  materialize silver/*                           20260508T140000-9a3e
         started 3m ago, 2026-05-08 14:00:00 UTC  took 3m 07s  3 failed ~
      -- log following ---------------------------------------------------------------
       14:02:07 x silver/klines  symbol=BTCUSDT/interval=1m/date=2021-03-04:         |
                  Conversion Error: could not convert string "7887.63551305" to      #
                  INT64 in column ignore, line 1204, while reading                   #
                  lake/bronze/binance-klines/symbol=BTCUSDT/2021-03-04.csv           #
       14:03:05 . silver/klines  computed 512 partitions of exchange=binance/market~ #"
    `));

  test('what is searched for is marked', () => {
    const lines = runView(input({ search: { text: 'BATCHES' } }), COLOURED);
    expect(lines.join('\n')).toContain(COLOURED.strong(COLOURED.accent('batches')));
  });

  test('following shows the end, otherwise the line asked for is first', () => {
    const lines = Array.from(
      { length: 100 },
      (_, i): RunLine => ({ at: NOW, level: 'info', asset: undefined, text: `line ${i}` }),
    );
    const texts = (some: Partial<RunInput>) =>
      run({ detail: { ...RUN, assets: [], lines }, size: { columns: 80, rows: 6 }, ...some })
        .split('\n')
        .slice(3)
        .map((line) => line.slice(12).replace(/ *[│┃]$/, ''));
    expect(texts({ follow: true })).toEqual(['line 97', 'line 98', 'line 99']);
    expect(texts({ follow: false, offset: 40 })).toEqual(['line 40', 'line 41', 'line 42']);
    expect(texts({ follow: false, offset: 5000 })).toEqual(['line 99', '', '']);
  });

  test('an error is shown whole', () => {
    const [, , failed, , lost] = RUNS;
    if (!failed || !lost) throw new Error('no such runs');
    const size = { columns: 60, rows: 8 };
    expect(run({ detail: { row: failed, assets: [], lines: [] }, size })).toMatchInlineSnapshot(`
      " ✗ failed  materialize gold/returns+   20260507T140000-1c55
         started 24h ago, 2026-05-07 14:03:07 UTC  took 4.4 s
         gold/returns symbol=BTCUSDT/date=2026-05-07: Binder
         Error: column "close" must appear in the GROUP BY clause
      ── log following ───────────────────────────────────────────
         No log lines yet.

      "
    `);
    expect(run({ detail: { row: lost, assets: [], lines: [] }, size })).toMatchInlineSnapshot(`
      " ? lost  materialize                   20260401T000000-beef
         started 37d ago, 2026-04-01 14:03:07 UTC  20 computed
         It never said that it finished, and its process is gone.
      ── log following ───────────────────────────────────────────
         No log lines yet.


      "
    `);
  });

  test('of many assets those that run and those that failed are kept, in their order', () => {
    const assets = Array.from({ length: 40 }, (_, i) =>
      progress(`asset/${i}`, {
        phase: i === 7 ? 'failed' : i === 30 ? 'computing' : i < 20 ? 'done' : 'waiting',
        total: 4,
        done: i < 20 ? 4 : 0,
        startedAt: NOW - 4000,
      }),
    );
    const lines = run({ detail: { ...RUN, assets, lines: [] }, size: { columns: 80, rows: 12 } }).split('\n');
    expect(lines.slice(3, 8).map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
      'asset',
      '✓ asset/0',
      '✗ asset/7',
      '▶ asset/30',
      '… and 37 more: 18 done, 19 waiting',
    ]);
  });
});
