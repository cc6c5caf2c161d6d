import { asset, columns, daily, dynamicDimension, earlier, self, source, sql, text } from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import * as sets from '../../framework/partition/set.ts';
import { Scenario } from './scenario.ts';

const partitions = { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) };
const table = {
  partitions,
  columns: columns({ x: text() }),
  sortBy: ['x'] as const,
  query: () => sql`SELECT 'x' AS x`,
};
const files = source('src/files', { partitions, observe: async function* () {} });
const raw = asset('bronze/raw', { ...table, inputs: { files } });
const day = asset('silver/day', { ...table, inputs: { raw } });
const chain = asset('gold/chain', { ...table, inputs: { day, before: self({ date: earlier({ days: 1 }) }) } });

const days = ['01', '02', '03'].map((d) => `symbol=A/date=2024-01-${d}`);

function seen(): Scenario {
  const lake = new Scenario([chain], { now: '2024-01-04T12:00Z' });
  lake.observe('src/files', Object.fromEntries(days.map((key) => [key, 'v1'])));
  return lake;
}

/** Steps of a plan for exactly these partitions. */
function planned(lake: Scenario, targets: Readonly<Record<string, string>>): Record<string, string> {
  const asked = Object.entries(targets).map(
    ([key, set]) => [key, sets.parseSet(lake.graph.node(key).space, set)] as const,
  );
  const { plan } = lake.plan({ targets: new Map(asked), selection: 'said by automation' });
  expect(plan.selection).toBe('said by automation');
  return Object.fromEntries(
    plan.steps.map((step) => {
      const [what, set] =
        step.type === 'materialize'
          ? [step.type, sets.union(step.will, step.may)]
          : [step.type === 'hold' ? step.reason : step.type, step.set];
      return [`${step.asset} ${what}`, sets.printSet(lake.graph.node(step.asset).space, set)];
    }),
  );
}

test('targets ask for exactly these partitions, and for nothing that they read', () => {
  using lake = seen();
  expect(planned(lake, { 'bronze/raw': days[1] ?? '' })).toEqual({ 'bronze/raw materialize': days[1] });
  expect(planned(lake, { 'silver/day': days[1] ?? '' })).toEqual({ 'silver/day unmet': days[1] });
  expect(
    planned(lake, {
      'bronze/raw': 'symbol=A/date=2024-01-01..2024-01-02',
      'silver/day': 'symbol=A/date=2024-01-02..2024-01-03',
    }),
  ).toEqual({
    'bronze/raw materialize': 'symbol=A/date=2024-01-01..2024-01-02',
    'silver/day materialize': 'symbol=A/date=2024-01-02',
    'silver/day unmet': 'symbol=A/date=2024-01-03',
  });
  expect(planned(lake, {})).toEqual({});
});

test('but of a chain for the earlier links, without which there is no later one', () => {
  using lake = seen();
  lake.run({ selection: '+silver/day' });
  expect(planned(lake, { 'gold/chain': days[2] ?? '' })).toEqual({
    'gold/chain materialize': 'symbol=A/date=2024-01-01..2024-01-03',
  });
});

test('what is asked for and is not there is left out', () => {
  using lake = seen();
  expect(planned(lake, { 'bronze/raw': 'symbol=A|B/date=2023-12-31..2024-01-01' })).toEqual({
    'bronze/raw materialize': days[0],
  });
});
