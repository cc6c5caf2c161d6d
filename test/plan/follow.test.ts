import { asset, columns, daily, dynamicDimension, source, sql, text } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { atOnce } from '../../framework/common/steps.ts';
import { statusCounts } from '../../framework/plan/counts.ts';
import type { AssetEvaluation } from '../../framework/plan/evaluate.ts';
import { type EvaluatedLake, evaluateAfter } from '../../framework/plan/follow.ts';
import { Scenario } from './scenario.ts';

const partitions = { symbol: dynamicDimension(), date: daily({ start: '2020-01-01' }) };
const ticks = source('src/ticks', { partitions, observe: async function* () {}, publicationLagHours: 36 });
const table = { partitions, columns: columns({ v: text() }), sortBy: ['v'] } as const;
const first = asset('a/first', { ...table, inputs: { t: ticks }, query: ({ t }) => sql`SELECT * FROM ${t}` });
const second = asset('a/second', { ...table, inputs: { f: first }, query: ({ f }) => sql`SELECT * FROM ${f}` });

const day = (symbol: string, date: string) => `symbol=${symbol}/date=2020-01-${date}`;

function lakeOf(codes?: Record<string, string>): Scenario {
  const lake = new Scenario([ticks, first, second], { now: '2020-01-05T11:30:00Z', ...(codes && { codes }) });
  const days = ['A', 'B'].flatMap((symbol) => ['01', '02', '04'].map((date) => [day(symbol, date), 'v1']));
  lake.observe('src/ticks', Object.fromEntries(days));
  lake.run();
  return lake;
}
const follow = ({ graph, state, now }: Scenario, before?: EvaluatedLake): EvaluatedLake =>
  atOnce(evaluateAfter(graph, state.refresh(), now, before));
const counts = (lake: EvaluatedLake, key: string) =>
  Object.fromEntries(
    Object.entries(statusCounts(lake.evaluations.get(key) as AssetEvaluation)).filter(([, count]) => count > 0),
  );
const kept = (now: EvaluatedLake, before: EvaluatedLake): string[] =>
  [...now.evaluations].flatMap(([key, { series }]) =>
    [...series].flatMap(([name, one]) =>
      one === before.evaluations.get(key)?.series.get(name) ? [`${key} ${name}`] : [],
    ),
  );

describe('a lake that is evaluated after it was before', () => {
  test('nothing is evaluated again when nothing happened, whatever the minute', () => {
    using lake = lakeOf();
    const before = follow(lake);
    lake.now += 20 * 60_000;
    const after = follow(lake, before);
    expect([...after.evaluations.values()]).toEqual(
      [...before.evaluations.values()].map((one) => expect.toSatisfy((now) => now === one)),
    );
    expect(after.universes).toBe(before.universes);
  });

  test('only series that read what changed are evaluated again', () => {
    using lake = lakeOf();
    const before = follow(lake);
    lake.observe('src/ticks', { [day('B', '02')]: 'v2' });
    const after = follow(lake, before);
    expect(kept(after, before)).toEqual(['src/ticks symbol=A', 'a/first symbol=A', 'a/second symbol=A']);
    expect(counts(after, 'a/first')).toEqual({ fresh: 5, stale: 1, awaiting: 2 });
    expect(counts(after, 'a/second')).toEqual({ fresh: 5, pending: 1, awaiting: 2 });
  });

  test('what comes out the same concerns nobody further down', () => {
    using lake = lakeOf();
    lake.content = (name) => name;
    lake.run({ selection: 'a/first', force: true });
    lake.run();
    const before = follow(lake);
    lake.run({ selection: 'a/first', force: true, partitions: 'symbol=B' });
    const after = follow(lake, before);
    expect(after.evaluations.get('a/second')?.series.get('symbol=A')).toBe(
      before.evaluations.get('a/second')?.series.get('symbol=A'),
    );
    expect(after.evaluations.get('a/second')?.series.get('symbol=B')).toBe(
      before.evaluations.get('a/second')?.series.get('symbol=B'),
    );
    expect(after.evaluations.get('a/first')?.series.get('symbol=B')).not.toBe(
      before.evaluations.get('a/first')?.series.get('symbol=B'),
    );
  });

  test('what is awaited becomes unavailable when its time has passed, though nothing was logged', () => {
    using lake = lakeOf();
    const before = follow(lake);
    // The third is over since yesterday and a half.
    lake.now += 3_600_000;
    const after = follow(lake, before);
    for (const key of lake.graph.order) {
      expect(counts(before, key), key).toEqual({ fresh: 6, awaiting: 2 });
      expect(counts(after, key), key).toEqual({ fresh: 6, unavailable: 2 });
    }
  });

  test('code that is accepted makes fresh what no event has touched', () => {
    using lake = lakeOf({ 'a/first': 'B' });
    lake.define([ticks, first, second], { 'a/first': 'A' });
    const before = follow(lake);
    expect(counts(before, 'a/first')).toEqual({ stale: 6, awaiting: 2 });
    // Nothing was made by A, so no series is written.
    lake.state.append({ kind: 'accepted', asset: 'a/first', run: 'r', from: 'A', to: 'B' });
    const after = follow(lake, before);
    expect(counts(after, 'a/first')).toEqual({ fresh: 6, awaiting: 2 });
    expect(counts(after, 'a/second')).toEqual({ fresh: 6, awaiting: 2 });
  });
});
