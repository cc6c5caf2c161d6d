import fc from 'fast-check';
import { TICK_KINDS, TICK_OUTCOMES } from '../../../framework/operate/store.ts';
import {
  type AssetRow,
  type CheckRow,
  type PlanView,
  type RunDetail,
  type RunRow,
  type ScheduleRow,
  SHOWN_STATUSES,
  type ShownStatus,
} from '../../../framework/tui/model/data.ts';
import type { AssetEntry } from '../../../framework/tui/view/assets.ts';
import { amounts, instants, maybe, texts } from './fitting.ts';

// What a lake may hold, and what it should not but may.

export const anyCounts = fc.record(
  Object.fromEntries(SHOWN_STATUSES.map((status) => [status, amounts])) as Record<ShownStatus, typeof amounts>,
);
export const listed = fc.record({
  cursor: fc.integer({ min: -1, max: 12 }),
  offset: fc.integer({ min: -3, max: 12 }),
  now: instants,
});
export const filters = maybe(fc.record({ text: texts, caret: maybe(fc.nat(20)) }));
export const rowsOf = <T>(row: fc.Arbitrary<T>) => maybe(fc.array(row, { maxLength: 8 }));

export const assetRow: fc.Arbitrary<AssetRow> = fc.record({
  key: texts,
  kind: fc.constantFrom('source', 'asset'),
  zone: texts,
  group: texts,
  kinds: fc.array(texts, { maxLength: 3 }),
  description: maybe(texts),
  owners: fc.array(texts, { maxLength: 3 }),
  tags: fc.dictionary(fc.string(), texts, { maxKeys: 3 }),
  dimensions: fc.array(texts, { maxLength: 3 }),
  counts: maybe(anyCounts),
  known: fc.boolean(),
  lastAt: maybe(instants),
  lastRun: maybe(texts),
  nextAt: maybe(instants),
  lag: maybe(
    fc.record({
      ms: maybe(instants),
      verdict: fc.constantFrom('on-time', 'warn', 'overdue', 'unknown', 'no-policy'),
      told: fc.array(texts, { maxLength: 3 }),
      policies: fc.array(texts, { maxLength: 2 }),
    }),
  ),
  volume: fc.array(amounts, { maxLength: 60 }),
  volumeUnit: fc.constantFrom('rows', 'bytes'),
  rows: amounts,
  bytes: amounts,
  running: maybe(fc.record({ done: amounts, total: amounts })),
});
export const entry: fc.Arbitrary<AssetEntry> = fc.oneof(
  fc.record({ type: fc.constant('asset' as const), row: assetRow, depth: fc.nat(4) }),
  fc.record({
    type: fc.constantFrom('zone' as const, 'group' as const),
    name: texts,
    depth: fc.nat(2),
    collapsed: fc.boolean(),
    assets: fc.nat(),
    counts: maybe(anyCounts),
    rows: amounts,
    bytes: amounts,
  }),
);
export const runRow: fc.Arbitrary<RunRow> = fc.record({
  run: texts,
  command: texts,
  selection: texts,
  startedAt: instants,
  finishedAt: maybe(instants),
  outcome: fc.constantFrom('running', 'succeeded', 'failed', 'cancelled', 'lost'),
  counts: fc.dictionary(fc.string(), amounts, { maxKeys: 4 }),
  error: maybe(texts),
});
export const runDetail: fc.Arbitrary<RunDetail> = fc.record({
  row: runRow,
  assets: fc.array(
    fc.record({
      asset: texts,
      phase: fc.constantFrom('waiting', 'observing', 'computing', 'done', 'failed'),
      total: amounts,
      done: amounts,
      failed: amounts,
      changed: amounts,
      rows: amounts,
      bytes: amounts,
      startedAt: maybe(instants),
      finishedAt: maybe(instants),
    }),
    { maxLength: 8 },
  ),
  lines: fc.array(
    fc.record({
      at: instants,
      level: fc.constantFrom('info', 'good', 'warn', 'bad'),
      asset: maybe(texts),
      text: texts,
    }),
    { maxLength: 12 },
  ),
});
export const checkRow: fc.Arbitrary<CheckRow> = fc.record({
  asset: texts,
  check: texts,
  severity: fc.constantFrom('warn', 'error'),
  blocking: fc.boolean(),
  description: maybe(texts),
  passed: amounts,
  failed: amounts,
  failures: fc.array(
    fc.record({
      partition: texts,
      failedRows: amounts,
      at: instants,
      sample: fc.array(texts, { maxLength: 3 }),
      sql: maybe(texts),
    }),
    { maxLength: 3 },
  ),
  history: fc.array(fc.record({ at: instants, checked: amounts, failed: amounts }), { maxLength: 40 }),
});
export const scheduleRow: fc.Arbitrary<ScheduleRow> = fc.record({
  kind: fc.constantFrom(...TICK_KINDS),
  name: texts,
  description: maybe(texts),
  action: texts,
  select: texts,
  ticks: fc.array(
    fc.record({
      id: amounts,
      kind: fc.constantFrom(...TICK_KINDS),
      name: texts,
      due: instants,
      at: instants,
      begunAt: maybe(instants),
      finishedAt: maybe(instants),
      outcome: fc.constantFrom(...TICK_OUTCOMES),
      decision: texts,
      ticks: amounts,
      attempt: amounts,
      byHand: fc.boolean(),
      run: maybe(texts),
      error: maybe(fc.record({ code: texts, kind: fc.constant('data' as const), message: texts, hint: texts })),
    }),
    { maxLength: 5 },
  ),
  cron: texts,
  timezone: texts,
  paused: fc.boolean(),
  nextAt: maybe(instants),
  lastAt: maybe(instants),
  lastOutcome: maybe(texts),
});
export const planView: fc.Arbitrary<PlanView> = fc.record({
  selection: texts,
  partitions: maybe(texts),
  force: fc.boolean(),
  will: amounts,
  may: amounts,
  cost: fc.record({
    batches: amounts,
    files: amounts,
    fetches: amounts,
    downloadBytes: amounts,
    estimatedMs: maybe(amounts),
    knownMs: amounts,
  }),
  steps: fc.array(
    fc.record({
      asset: texts,
      will: amounts,
      may: amounts,
      held: amounts,
      estimatedMs: maybe(amounts),
      causes: fc.dictionary(fc.string(), amounts, { maxKeys: 4 }),
    }),
    { maxLength: 6 },
  ),
});
