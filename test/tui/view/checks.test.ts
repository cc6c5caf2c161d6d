import { describe, expect, test } from 'vitest';
import { checksView } from '../../../framework/tui/view/checks.ts';
import { schedulesView } from '../../../framework/tui/view/schedules.ts';
import { ASCII, PLAIN, seen } from './fitting.ts';
import { DAY, MINUTE, NOW } from './samples.ts';
import { CHECKS, SCHEDULES } from './samples-runs.ts';

const checks = (columns: number, rows: number, some = {}, theme = PLAIN) =>
  seen(checksView({ rows: CHECKS, cursor: 0, offset: 0, now: NOW, size: { columns, rows }, ...some }, theme));

describe('the Checks screen', () => {
  test('80 columns: what failed is below', () =>
    expect(checks(80, 20)).toMatchInlineSnapshot(`
      "    asset           check           severity      passed   failed  over time
       ✗  silver/klines   ohlc-in-order   error           1.2M        2       ▂ ▇▄  ▄
       !  silver/klines   no-gaps         warn            1.2M      202
       ✓  silver/funding  rate-in-bounds  error          38.1k
       ·  gold/returns    not-null        error              0
      ────────────────────────────────────────────────────────────────────────────────
       ohlc-in-order                                                                ┃
       silver/klines, severity error, blocks what reads it                          ┃
                                                                                    ┃
       The high is not below, and the low not above, any other price of a candle.   ┃
                                                                                    ┃
       ✗ 2 of 1,180,002 partitions failed.                                          ┃
                                                                                    ┃
       exchange=binance/market=spot/symbol=LUNAUSDT/date=2022-05-12  2 rows  2h ago ┃
         open_time=2022-05-12 03:14:00  open=0.0041  high=0.0039                    ┃
         open_time=2022-05-12 03:15:00  open=0.0039  high=0.0038                    ┃
         SELECT * FROM silver.klines                                                ┃
           WHERE high < greatest(open, close, low)                                  ┃
             AND symbol = 'LUNAUSDT'                                                ┃
                                                                                    │"
    `));
  test('150 columns: what failed is beside', () =>
    expect(checks(150, 14)).toMatchInlineSnapshot(`
      "    asset           check           severity          passed   failed  over time     │ ohlc-in-order                                                 ┃
       ✗  silver/klines   ohlc-in-order   error, blocking     1.2M        2       ▂ ▇▄  ▄  │ silver/klines, severity error, blocks what reads it           ┃
       !  silver/klines   no-gaps         warn                1.2M      202                │                                                               ┃
       ✓  silver/funding  rate-in-bounds  error              38.1k                         │ The high is not below, and the low not above, any other price ┃
       ·  gold/returns    not-null        error, blocking        0                         │ of a candle.                                                  ┃
                                                                                           │                                                               ┃
                                                                                           │ ✗ 2 of 1,180,002 partitions failed.                           ┃
                                                                                           │                                                               ┃
                                                                                           │ exchange=binance/market=spot/symbol=LUNAUSDT/… 2 rows  2h ago ┃
                                                                                           │   open_time=2022-05-12 03:14:00  open=0.0041  high=0.0039     ┃
                                                                                           │   open_time=2022-05-12 03:15:00  open=0.0039  high=0.0038     ┃
                                                                                           │   SELECT * FROM silver.klines                                 ┃
                                                                                           │     WHERE high < greatest(open, close, low)                   │
                                                                                           │       AND symbol = 'LUNAUSDT'                                 │"
    `));
  test('in ASCII, of a check that passed', () =>
    expect(checks(80, 12, { cursor: 2 }, ASCII)).toMatchInlineSnapshot(`
    "    asset           check           severity      passed   failed  over time
     x  silver/klines   ohlc-in-order   error           1.2M        2       : #=  =
     !  silver/klines   no-gaps         warn            1.2M      202
     +  silver/funding  rate-in-bounds  error          38.1k
     .  gold/returns    not-null        error              0
    --------------------------------------------------------------------------------
     rate-in-bounds
     silver/funding, severity error, blocks nothing

     + All 38,110 partitions passed.

    "
  `));

  test('the detail scrolls', () => {
    expect(checks(80, 14, { detailOffset: 6 })).toContain('SELECT * FROM silver.klines');
    expect(checks(80, 14)).not.toContain('SELECT');
  });

  test('of failures without particulars there is the number', () => {
    expect(checks(80, 14, { cursor: 1 })).toContain('✗ 202 of 1,180,002 partitions failed.');
    expect(checks(80, 14, { cursor: 3 })).toContain(
      'It was not checked yet: that is done when partitions are computed.',
    );
  });

  test.each([
    ['while reading', { rows: undefined }, 'Reading the checks …'],
    ['none', { rows: [] }, 'No asset has checks.'],
    ['none matches', { rows: [], filter: { text: 'gap' } }, 'No check matches gap'],
  ])('instead of a list, %s', (_, some, sentence) => expect(checks(80, 10, some)).toContain(sentence));
});

describe('the Schedules screen', () => {
  const DAEMON = { host: 'here', pid: 4711, since: NOW - 2 * DAY, expiresAt: NOW + MINUTE };
  const schedules = (columns: number, rows: typeof SCHEDULES | undefined = SCHEDULES, theme = PLAIN) =>
    seen(schedulesView({ rows, daemon: DAEMON, cursor: 0, offset: 0, now: NOW, size: { columns, rows: 20 } }, theme));

  test('80 columns', () =>
    expect(schedules(80)).toMatchInlineSnapshot(`
      " ✓ The daemon is active: pid 4711 on here, since 2026-05-06 14:03:07 UTC.
       schedule           when           next       last  last outcome
       ● hourly-candles   5 * * * *     in 2m    58m ago  succeeded
       ○ monthly-archive  0 6 2 * *    paused     6d ago  failed: 3 partitions
      ────────────────────────────────────────────────────────────────────────────────
       hourly-candles                                                               ┃
       schedule                                                                     ┃
                                                                                    ┃
       Candles of the last hour.                                                    ┃
                                                                                    ┃
       when  5 * * * * UTC                                                          ┃
       does  materialize-stale +gold/*                                              ┃
       next  in 2m, 2026-05-08 14:05:07 UTC                                         ┃
                                                                                    ┃
       ✓ succeeded  2026-05-08 13:05:07 UTC                                   4.2 s ┃
         it was due; 12 partitions computed: silver/klines (data 12)                ┃
         run 0mt1hour                                                               │
                                                                                    │
       ✗ failed  2026-05-08 12:05:07 UTC                                    by hand │
         asked for by hand; 1 partition failed: silver/klines (data 1)              │"
    `));
  test('120 columns in ASCII', () =>
    expect(schedules(120, SCHEDULES, ASCII)).toMatchInlineSnapshot(`
      " + The daemon is active: pid 4711 on here, since 2026-05-06 14:03:07 UTC.
       schedule           when       time zone          next                                last  last outcome
       * hourly-candles   5 * * * *  UTC               in 2m  2026-05-08 14:05:07 UTC    58m ago  succeeded
       o monthly-archive  0 6 2 * *  Europe/Berlin    paused                              6d ago  failed: 3 partitions
      ------------------------------------------------------------------------------------------------------------------------
       hourly-candles                                                                                                       #
       schedule                                                                                                             #
                                                                                                                            #
       Candles of the last hour.                                                                                            #
                                                                                                                            #
       when  5 * * * * UTC                                                                                                  #
       does  materialize-stale +gold/*                                                                                      #
       next  in 2m, 2026-05-08 14:05:07 UTC                                                                                 #
                                                                                                                            #
       + succeeded  2026-05-08 13:05:07 UTC                                                                           4.2 s #
         it was due; 12 partitions computed: silver/klines (data 12)                                                        #
         run 0mt1hour                                                                                                       |
                                                                                                                            |
       x failed  2026-05-08 12:05:07 UTC                                                                            by hand |
         asked for by hand; 1 partition failed: silver/klines (data 1)                                                      |"
    `));
  test('without any, how there come to be some', () =>
    expect(schedules(80, [])).toMatchInlineSnapshot(`
      "





                                     No schedules yet.

           They are declared in code, beside the assets, or under 'schedules:' in
            the configuration, and run by the daemon. Until then, press m on an
                                  asset to materialize it.








      "
    `));
  test('while reading', () => {
    const lines = schedulesView(
      { rows: undefined, cursor: 0, offset: 0, now: NOW, size: { columns: 80, rows: 8 } },
      PLAIN,
    );
    expect(seen(lines)).toContain('Reading the schedules …');
  });
});
