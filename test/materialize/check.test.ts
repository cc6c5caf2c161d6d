import { drift, reconciles, references, rowsWhere, sql } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import type { CheckDefinition } from '../../framework/define/model.ts';
import { type CheckTotals, checkPartitions } from '../../framework/materialize/check.ts';
import { openFiles } from '../../framework/materialize/lake-files.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { wipePartitions } from '../../framework/materialize/recorded.ts';
import { lakeViews } from '../../framework/materialize/views.ts';
import * as ranges from '../../framework/partition/ranges.ts';
import * as sets from '../../framework/partition/set.ts';
import { presentSet } from '../../framework/plan/universe.ts';
import { packedCount } from '../../framework/state/events.ts';
import { type CheckLake, checkLake, type Data, mirror } from './check-lake.ts';
import { openTestLake, run } from './lake.ts';
import { atEnd, statuses, temporaryDirectory } from './support.ts';

const NOW = Date.parse('2020-04-10T12:00:00Z');
const never = new AbortController().signal;

async function lakeIn(directory: string, options: CheckLake, sets: readonly string[] = []): Promise<OpenedLake> {
  const given = { sets: ['engine.threads=2', ...sets], now: () => NOW };
  const lake = await openTestLake(checkLake(options), directory, given);
  atEnd(() => lake.close());
  return lake;
}

async function checkAll(
  lake: OpenedLake,
  wanted?: (asset: string, check: CheckDefinition) => boolean,
): Promise<readonly CheckTotals[]> {
  const index = lake.state.refresh();
  const targets = new Map(lake.graph.order.map((key) => [key, presentSet(lake.graph.node(key), index.asset(key))]));
  const control = { stopping: never, signal: never, emit: () => undefined };
  return (await checkPartitions(lake, { command: 'test', selection: '*', targets, wanted }, control)).checks;
}

const told = ({ asset, check, checked, failed, rows, skipped }: CheckTotals) => ({
  asset,
  check,
  checked,
  failed,
  rows,
  ...Object.fromEntries(Object.entries(skipped).filter(([, n]) => n > 0)),
});

/** What the statement of a failure selects. */
async function rerun(lake: OpenedLake, statement: string | undefined): Promise<unknown[][]> {
  const engine = await lake.engine();
  const result = await engine.query(statement ?? '', await lakeViews(lake, openFiles(lake)), never);
  const rows: unknown[][] = [];
  for await (const batch of result.batches) rows.push(...batch.map((row) => [...row]));
  return rows;
}

const small = (limit: number) => rowsWhere('size_small', ['size'], ({ size }) => sql`${size} > ${limit}`);

describe('what is there is checked again without being computed', () => {
  test('a check that is new holds up what reads it, and lets it go when it is loosened', async () => {
    const directory = await temporaryDirectory();
    const data: Data = new Map([
      [
        'A/2020-04-02',
        [
          ['x', 50],
          ['y', 70],
        ],
      ],
      ['B/2020-03-31', [['x', 60]]],
    ]);
    await run(await lakeIn(directory, { data }));
    const strict = await lakeIn(directory, { data, rawChecks: [small(40)] });
    expect((await run(strict)).counts.computed).toBe(0);

    const checks = await checkAll(strict);
    expect(checks.map(told)).toEqual([{ asset: 'raw/sizes', check: 'size_small', checked: 22, failed: 2, rows: 3 }]);
    const [{ failures } = { failures: [] }] = checks;
    expect(failures.map(({ series, failedRows, sample }) => ({ series, failedRows, sample }))).toEqual([
      {
        series: 'symbol=A',
        failedRows: 2,
        sample: [
          { symbol: 'A', date: '2020-04-02', name: 'x', size: 50 },
          { symbol: 'A', date: '2020-04-02', name: 'y', size: 70 },
        ],
      },
      { series: 'symbol=B', failedRows: 1, sample: [{ symbol: 'B', date: '2020-03-31', name: 'x', size: 60 }] },
    ]);
    for (const { sql: statement, failedRows } of failures)
      expect(await rerun(strict, statement)).toHaveLength(failedRows);
    const held = (lake: OpenedLake, asset: string) =>
      Object.entries(statuses(lake, asset)).flatMap(([key, status]) =>
        status === 'fresh' ? [] : [`${key} ${status}`],
      );
    expect(held(strict, 'raw/sizes')).toEqual(['symbol=A/date=2020-04-02 failed', 'symbol=B/date=2020-03-31 failed']);
    expect(held(strict, 'gold/sums')).toEqual(['symbol=A/date=2020-04-02 blocked', 'symbol=B/date=2020-03-31 blocked']);

    const loose = await lakeIn(directory, { data, rawChecks: [small(65)] });
    expect((await checkAll(loose)).map(told)).toMatchObject([{ checked: 22, failed: 1, rows: 1 }]);
    expect(held(loose, 'gold/sums')).toEqual(['symbol=A/date=2020-04-02 blocked']);
    expect(loose.state.index().asset('raw/sizes')?.lastObservedAt).toBeUndefined();
    const outcome = await run(loose);
    expect([outcome.counts.computed, outcome.outcome]).toEqual([0, 'failed']);
  });

  test('a check alone lets nothing go that another one holds up', async () => {
    const directory = await temporaryDirectory();
    const data: Data = new Map([['A/2020-04-02', [['y', 50]]]]);
    const named = rowsWhere('named_x', ['name'], ({ name }) => sql`${name} <> 'x'`);
    const lake = await lakeIn(directory, { data, rawChecks: [small(40), named] });
    await run(lake);
    const only = await checkAll(lake, (_, { name }) => name === 'size_small');
    expect(only.map(told)).toMatchObject([{ check: 'size_small', checked: 22, failed: 1 }]);

    const without = await lakeIn(directory, { data, rawChecks: [small(100), named] });
    await checkAll(without, (_, { name }) => name === 'size_small');
    expect(statuses(without, 'raw/sizes')['symbol=A/date=2020-04-02']).toBe('failed');
    const loose = await lakeIn(directory, { data, rawChecks: [small(100)] });
    await checkAll(loose);
    expect(statuses(loose, 'raw/sizes')['symbol=A/date=2020-04-02']).toBe('fresh');
  });
});

test('however the work is cut up, every partition is checked once', async () => {
  const data: Data = new Map([['A/2020-04-02', [['x', 50]]]]);
  const directory = await temporaryDirectory();
  const options = { data, rawChecks: [small(40), drift({ measure: 'rows', window: { days: 3 }, max: { share: 1 } })] };
  for (const size of [1, 3, 400]) {
    const lake = await lakeIn(directory, options, [`processing.batchSize=${size}`]);
    await run(lake);
    const { head } = lake.state.refresh();
    expect((await checkAll(lake)).map(told)).toEqual([
      { asset: 'raw/sizes', check: 'size_small', checked: 22, failed: 1, rows: 1 },
      { asset: 'raw/sizes', check: 'drift_rows', checked: 22, failed: 0, rows: 0 },
    ]);
    const checked = [...lake.state.events({ kind: 'checked', after: head })].flatMap(({ event }) =>
      event.kind === 'checked' ? [event] : [],
    );
    for (const name of ['size_small', 'drift_rows']) {
      const made = checked.filter(({ checks }) => checks.includes(name)).map(({ set }) => packedCount(set));
      expect(made.reduce((sum, n) => sum + n, 0)).toBe(22);
      expect(made.length > 1).toBe(size < 22);
    }
  }
});

describe('a check against an input', () => {
  const rawChecks = [references('name', 'names')];

  test('is part of the batch and blocks', async () => {
    const data: Data = new Map([
      [
        'A/2020-04-02',
        [
          ['x', 1],
          ['z', 2],
        ],
      ],
    ]);
    const lake = await lakeIn(await temporaryDirectory(), { data, rawChecks });
    const { events, counts } = await run(lake);
    expect(events.filter(({ type }) => type === 'check-failed')).toEqual([
      {
        type: 'check-failed',
        asset: 'raw/sizes',
        partition: 'symbol=A/date=2020-04-02',
        check: 'references_names_name',
        severity: 'error',
        failedRows: 1,
      },
    ]);
    expect(counts.checksFailed).toBe(1);
    expect(statuses(lake, 'gold/sums')['symbol=A/date=2020-04-02']).toBe('blocked');
    const [totals] = await checkAll(lake);
    expect(totals && told(totals)).toMatchObject({ checked: 22, failed: 1, rows: 1 });
    expect(await rerun(lake, totals?.failures[0]?.sql)).toEqual([['A', expect.anything(), 'z', 2]]);
  });

  test('is not made where the input has changed since: the next run makes it', async () => {
    const directory = await temporaryDirectory();
    const lake = await lakeIn(directory, { data: new Map(), rawChecks });
    await run(lake);
    const other = await lakeIn(directory, { data: new Map(), names: ['y'], rawChecks });
    expect((await run(other, { selection: 'base/names', force: true })).counts.changed).toBe(1);
    expect((await checkAll(other)).map(told)).toMatchObject([{ checked: 0, failed: 0, stale: 22 }]);
    expect((await run(other)).counts.checksFailed).toBe(22);
  });

  test('of which there is none is a mistake of the definition', async () => {
    const opening = lakeIn(await temporaryDirectory(), { data: new Map(), rawChecks: [references('name', 'nams')] });
    await expect(opening).rejects.toMatchObject({
      code: 'invalid-definitions',
      message: expect.stringContaining("there is no input 'nams' that a check can read. Did you mean 'names'?"),
    });
  });
});

describe('comparisons', () => {
  test('drift is seen after the run, reports, and blocks nothing', async () => {
    const data: Data = new Map();
    for (let day = 1; day <= 9; day++) data.set(`A/2020-04-0${day}`, [['x', 10 + (day % 2)]]);
    data.set('A/2020-04-09', [['x', 40]]);
    const rawChecks = [
      drift(
        { column: 'size', window: { days: 7 }, max: { share: 1, deviations: 4 }, atLeast: 5 },
        { severity: 'error' },
      ),
      drift({ measure: 'rows', window: { days: 3 }, max: { share: 0.5 }, atLeast: 3 }),
    ];
    const lake = await lakeIn(await temporaryDirectory(), { data, rawChecks });
    const { events, outcome, counts } = await run(lake);
    expect(events.filter(({ type }) => type === 'check-failed')).toMatchObject([
      {
        asset: 'raw/sizes',
        partition: 'symbol=A/date=2020-04-09',
        check: 'drift_mean_size',
        severity: 'error',
        failedRows: 1,
      },
    ]);
    expect([outcome, counts.checksFailed]).toEqual(['failed', 1]);
    expect(statuses(lake, 'gold/sums')['symbol=A/date=2020-04-09']).toBe('fresh');

    const totals = await checkAll(lake);
    expect(totals.map(told)).toEqual([
      { asset: 'raw/sizes', check: 'drift_mean_size', checked: 22, failed: 1, rows: 1 },
      { asset: 'raw/sizes', check: 'drift_rows', checked: 22, failed: 0, rows: 0 },
    ]);
    const failure = totals[0]?.failures[0];
    // The seven days before: 10, 11, 10, 11, 10, 11, 10.
    expect(failure?.sample).toEqual([
      { value: 40, mean: expect.closeTo(73 / 7, 9), deviation: expect.closeTo(0.5345, 3), partitions: 7 },
    ]);
    expect(await rerun(lake, failure?.sql)).toEqual([[40, expect.closeTo(73 / 7, 9), expect.closeTo(0.5345, 3), 7n]]);
    // Nothing that was only compared with is computed again.
    expect((await run(lake)).counts.computed).toBe(0);
  });

  const sizes = (symbol: string, day: string, ...list: number[]) =>
    [`${symbol}/${day}`, list.map((size, i) => [i === 0 ? 'x' : 'y', size] as const)] as const;
  const sumChecks: CheckLake['sumChecks'] = (other) => [
    reconciles(other, {
      on: ['day'],
      columns: ['total'],
      tolerance: { relative: 1e-12 },
      of: (rows, partition) =>
        sql`SELECT strftime(${partition.start}, '%Y-%m-%d') AS day, sum(${rows.size}) AS total FROM ${rows}`,
    }),
  ];

  test('rows are reconciled with those of another asset, summed up', async () => {
    const data: Data = new Map([sizes('B', '2020-04-01', 0.1, 0.2), sizes('A', '2020-04-01', 5)]);
    const wrong = new Map([['A/2020-04-01', 7]]);
    const lake = await lakeIn(await temporaryDirectory(), { data, wrong, sumChecks });
    expect((await run(lake)).counts.checksFailed).toBe(1);
    const [totals] = await checkAll(lake);
    expect(totals && told(totals)).toEqual({
      asset: 'gold/sums',
      check: 'reconciles_raw_sizes',
      checked: 22,
      failed: 1,
      rows: 1,
    });
    const [failure] = totals?.failures ?? [];
    expect(failure?.sample).toEqual([{ day: '2020-04-01', total: 7, other_total: 5, here: 1, there: 1 }]);
    expect(await rerun(lake, failure?.sql)).toEqual([['2020-04-01', 7, 5, 1n, 1n]]);
  });

  test('rows that only one side has are wrong, and equal ones are not, NULL or not', async () => {
    const data: Data = new Map([
      [
        'A/2020-04-01',
        [
          ['x', 1],
          ['y', 2],
        ],
      ],
      [
        'B/2020-04-01',
        [
          ['x', 1],
          ['y', null],
        ],
      ],
    ]);
    const rawChecks = [reconciles(mirror(data), { on: ['name'], columns: ['size'] })];
    const lake = await lakeIn(await temporaryDirectory(), { data, rawChecks });
    await run(lake);
    const [totals] = await checkAll(lake);
    expect(totals?.failures.map(({ series, time: _, sample }) => ({ series, sample }))).toEqual([
      { series: 'symbol=A', sample: [{ name: 'y', size: 2, other_size: null, here: 1, there: 0 }] },
    ]);
  });

  test('one that cannot be made is told of, and the rest of the run stands', async () => {
    const data: Data = new Map();
    const broken: CheckLake['sumChecks'] = (other) => [
      reconciles(other, {
        on: [],
        columns: ['total'],
        of: (rows) =>
          sql`SELECT CASE WHEN ${rows.size} > 5 THEN error('no such luck') ELSE ${rows.size} END AS total FROM ${rows}`,
      }),
    ];
    const rawChecks = [drift({ measure: 'rows', window: { days: 3 }, max: { share: 1 } })];
    const lake = await lakeIn(await temporaryDirectory(), { data, rawChecks, sumChecks: broken });
    const { events, outcome, counts } = await run(lake);
    expect([outcome, counts.failed, counts.checksFailed]).toEqual(['failed', 0, 1]);
    expect(events.filter(({ type }) => type === 'warning')).toEqual([
      {
        type: 'warning',
        asset: 'gold/sums',
        message: expect.stringMatching(
          /^The check reconciles_raw_sizes could not be made: gold\/sums, check reconciles_raw_sizes: .*no such luck/,
        ),
      },
    ]);
    await expect(checkAll(lake)).rejects.toThrow('no such luck');
  });

  test('what is not all there is not compared', async () => {
    const data: Data = new Map();
    const lake = await lakeIn(await temporaryDirectory(), { data, sumChecks });
    await run(lake);
    const there = presentSet(lake.graph.node('raw/sizes'), lake.state.index().asset('raw/sizes'));
    const ofA = sets.mapSeries(there, (times, key) => (key === 'symbol=A' ? times : ranges.EMPTY));
    await wipePartitions(lake, 'raw/sizes', ofA, 'test', never);
    expect((await checkAll(lake)).map(told)).toMatchObject([{ checked: 11, failed: 0, incomplete: 11 }]);
  });
});
