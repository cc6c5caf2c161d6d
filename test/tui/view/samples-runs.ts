import type { TickRecord } from '../../../framework/operate/store.ts';
import type {
  AssetProgress,
  CheckRow,
  PlanView,
  RunDetail,
  RunLine,
  RunRow,
  ScheduleRow,
} from '../../../framework/tui/model/data.ts';
import { DAY, HOUR, MINUTE, NOW } from './samples.ts';

// What happened and what is about to, in the lake of samples.ts.

export const RUNS: readonly RunRow[] = [
  {
    run: '20260508T140000-9a3e',
    command: 'materialize',
    selection: 'silver/*',
    startedAt: NOW - 187_000,
    finishedAt: undefined,
    outcome: 'running',
    counts: { computed: 4_296, failed: 3 },
    error: undefined,
  },
  {
    run: '20260508T110000-77b0',
    command: 'materialize',
    selection: 'tag:hourly',
    startedAt: NOW - 3 * HOUR,
    finishedAt: NOW - 3 * HOUR + 62_000,
    outcome: 'succeeded',
    counts: { computed: 1_204, unchanged: 88 },
    error: undefined,
  },
  {
    run: '20260507T140000-1c55',
    command: 'materialize',
    selection: 'gold/returns+',
    startedAt: NOW - DAY,
    finishedAt: NOW - DAY + 4_400,
    outcome: 'failed',
    counts: { computed: 12, failed: 240 },
    error:
      'gold/returns symbol=BTCUSDT/date=2026-05-07: Binder Error: column "close" must appear in the GROUP BY clause',
  },
  {
    run: '20260507T020000-0e01',
    command: 'observe',
    selection: 'binance/*',
    startedAt: NOW - 36 * HOUR,
    finishedAt: NOW - 36 * HOUR + 8_000,
    outcome: 'cancelled',
    counts: {},
    error: undefined,
  },
  {
    run: '20260401T000000-beef',
    command: 'materialize',
    selection: '',
    startedAt: NOW - 37 * DAY,
    finishedAt: undefined,
    outcome: 'lost',
    counts: { computed: 20 },
    error: undefined,
  },
];

export function progress(asset: string, one: Partial<AssetProgress> = {}): AssetProgress {
  return {
    asset,
    phase: 'waiting',
    total: 0,
    done: 0,
    failed: 0,
    changed: 0,
    rows: 0,
    bytes: 0,
    startedAt: undefined,
    finishedAt: undefined,
    ...one,
  };
}

export const LINES: readonly RunLine[] = [
  {
    at: NOW - 187_000,
    level: 'info',
    asset: undefined,
    text: 'Materializing silver/*: 24,715 partitions in 31 batches',
  },
  {
    at: NOW - 186_000,
    level: 'info',
    asset: 'binance/klines-daily',
    text: 'observed 1,204,818 partitions, 14 changed',
  },
  { at: NOW - 160_000, level: 'good', asset: 'bronze/binance-klines', text: 'computed 190 partitions in 2 batches' },
  {
    at: NOW - 120_000,
    level: 'warn',
    asset: 'silver/klines',
    text: 'check ohlc-in-order: 2 rows in market=spot/symbol=LUNAUSDT/date=2022-05-12',
  },
  {
    at: NOW - 60_000,
    level: 'bad',
    asset: 'silver/klines',
    text: 'symbol=BTCUSDT/interval=1m/date=2021-03-04: Conversion Error: could not convert string "7887.63551305" to INT64 in column ignore, line 1204, while reading lake/bronze/binance-klines/symbol=BTCUSDT/2021-03-04.csv',
  },
  {
    at: NOW - 2_000,
    level: 'info',
    asset: 'silver/klines',
    text: 'computed 512 partitions of exchange=binance/market=spot',
  },
];

export const RUN: RunDetail = {
  row: RUNS[0] as RunRow,
  assets: [
    progress('binance/klines-daily', {
      phase: 'done',
      total: 1,
      done: 1,
      startedAt: NOW - 187_000,
      finishedAt: NOW - 170_000,
    }),
    progress('bronze/binance-klines', {
      phase: 'computing',
      total: 190,
      done: 176,
      changed: 170,
      rows: 253_440,
      bytes: 14_100_000,
      startedAt: NOW - 170_000,
    }),
    progress('silver/klines', {
      phase: 'computing',
      total: 24_525,
      done: 4_117,
      failed: 3,
      changed: 4_000,
      rows: 5_928_480,
      bytes: 243_600_000,
      startedAt: NOW - 120_000,
    }),
    progress('silver/funding', { phase: 'observing', startedAt: NOW - 3_000 }),
    progress('gold/returns', { phase: 'waiting', total: 404 }),
  ],
  lines: LINES,
};

export const CHECKS: readonly CheckRow[] = [
  {
    asset: 'silver/klines',
    check: 'ohlc-in-order',
    severity: 'error',
    blocking: true,
    description: 'The high is not below, and the low not above, any other price of a candle.',
    passed: 1_180_000,
    failed: 2,
    failures: [
      {
        partition: 'exchange=binance/market=spot/symbol=LUNAUSDT/date=2022-05-12',
        failedRows: 2,
        at: NOW - 2 * HOUR,
        sample: [
          'open_time=2022-05-12 03:14:00  open=0.0041  high=0.0039',
          'open_time=2022-05-12 03:15:00  open=0.0039  high=0.0038',
        ],
        sql: "SELECT * FROM silver.klines\n  WHERE high < greatest(open, close, low)\n    AND symbol = 'LUNAUSDT'",
      },
    ],
    history: [0, 0, 1, 0, 4, 2, 0, 0, 2].map((failed, i) => ({ at: NOW - (9 - i) * DAY, checked: 400, failed })),
  },
  {
    asset: 'silver/klines',
    check: 'no-gaps',
    severity: 'warn',
    blocking: false,
    description: undefined,
    passed: 1_179_800,
    failed: 202,
    failures: [],
    history: [],
  },
  {
    asset: 'silver/funding',
    check: 'rate-in-bounds',
    severity: 'error',
    blocking: false,
    description: undefined,
    passed: 38_110,
    failed: 0,
    failures: [],
    history: [],
  },
  {
    asset: 'gold/returns',
    check: 'not-null',
    severity: 'error',
    blocking: true,
    description: undefined,
    passed: 0,
    failed: 0,
    failures: [],
    history: [],
  },
];

const tick = (some: Partial<TickRecord> & Pick<TickRecord, 'id' | 'due' | 'decision'>): TickRecord => ({
  kind: 'schedule',
  name: 'hourly-candles',
  at: some.due,
  begunAt: some.due,
  finishedAt: some.due,
  outcome: 'succeeded',
  ticks: 1,
  attempt: 1,
  byHand: false,
  run: undefined,
  error: undefined,
  ...some,
});
export const SCHEDULES: readonly ScheduleRow[] = [
  {
    kind: 'schedule',
    name: 'hourly-candles',
    description: 'Candles of the last hour.',
    action: 'materialize-stale',
    select: '+gold/*',
    ticks: [
      tick({
        id: 3,
        due: NOW - 58 * MINUTE,
        finishedAt: NOW - 58 * MINUTE + 4200,
        decision: 'it was due; 12 partitions computed: silver/klines (data 12)',
        run: '0mt1hour',
      }),
      tick({
        id: 2,
        due: NOW - 118 * MINUTE,
        outcome: 'failed',
        byHand: true,
        decision: 'asked for by hand; 1 partition failed: silver/klines (data 1)',
        error: { code: 'http', kind: 'transient', message: 'The exchange has not answered', hint: 'Try again.' },
      }),
      tick({
        id: 1,
        due: NOW - 178 * MINUTE,
        outcome: 'skipped',
        ticks: 7,
        decision: 'skipped: nobody was there when it was due (catchUp: none)',
      }),
    ],
    cron: '5 * * * *',
    timezone: 'UTC',
    paused: false,
    nextAt: NOW + 2 * MINUTE,
    lastAt: NOW - 58 * MINUTE,
    lastOutcome: 'succeeded',
  },
  {
    kind: 'schedule',
    name: 'monthly-archive',
    description: undefined,
    action: 'observe',
    select: 'binance/*',
    ticks: [],
    cron: '0 6 2 * *',
    timezone: 'Europe/Berlin',
    paused: true,
    nextAt: NOW + 24 * DAY,
    lastAt: NOW - 6 * DAY,
    lastOutcome: 'failed: 3 partitions',
  },
];

export const PLAN: PlanView = {
  selection: 'silver/*',
  partitions: undefined,
  force: false,
  will: 24_525,
  may: 404,
  cost: { batches: 30, files: 812, fetches: 190, downloadBytes: 41_200_000, estimatedMs: 745_000, knownMs: 745_000 },
  steps: [
    {
      asset: 'bronze/binance-klines',
      will: 190,
      may: 0,
      held: 0,
      estimatedMs: 31_000,
      causes: { missing: 176, data: 14 },
    },
    {
      asset: 'silver/klines',
      will: 24_335,
      may: 310,
      held: 12,
      estimatedMs: 714_000,
      causes: { code: 24_012, missing: 188, data: 135 },
    },
    { asset: 'gold/returns', will: 0, may: 94, held: 240, estimatedMs: undefined, causes: {} },
  ],
};
