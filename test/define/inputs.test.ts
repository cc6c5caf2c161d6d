import { expect, test } from 'vitest';
import type { InputSpec } from '../../framework/define/types.ts';
import {
  asset,
  columns,
  daily,
  double,
  dynamicDimension,
  earlier,
  firstAvailable,
  ifPresent,
  self,
  sql,
  timesBy,
  timestamp,
} from '../../framework/index.ts';
import { build, shown } from '../graph/support.ts';
import { refused } from './support.ts';

const symbol = dynamicDimension();
const date = daily({ start: '2020-01-01' });
const partitions = { symbol, date };
const table = { partitions, columns: columns({ at: timestamp(), close: double() }), sortBy: ['at'] } as const;
const query = () => sql`SELECT 1`;
const a = asset('silver/a', { ...table, query });
const b = asset('silver/b', { ...table, query });
const reading = (inputs: Record<string, InputSpec>) =>
  asset('gold/x', { ...table, inputs: inputs as never, query: query as never });

test('what may be missing is no alternative', () => {
  const expected =
    'optional-alternative gold/x.inputs.raw: an alternative cannot be ifPresent() or self() => Write ifPresent(firstAvailable(…)) for what may be missing altogether, and self() as an input of its own';
  const before = self({ date: earlier({ days: 1 }) });
  for (const raw of [
    firstAvailable(ifPresent(a), b),
    firstAvailable(a, ifPresent(b)),
    firstAvailable(a, before),
    ifPresent(firstAvailable(ifPresent(a), b)),
    firstAvailable(firstAvailable(ifPresent(a)), b),
  ]) {
    expect(refused(reading({ raw: raw as InputSpec }))).toBe(expected);
  }
  const good = reading({ raw: ifPresent(firstAvailable(a, b)) as InputSpec, before: ifPresent(before) as InputSpec });
  expect(
    build([good])
      .node('gold/x')
      .inputs.map(({ name, need }) => [name, need]),
  ).toEqual([
    ['raw', 'ifPresent'],
    ['before', 'ifPresent'],
  ]);
});

test('an asset reads itself through one input', () => {
  const days = (n: number) => self({ date: earlier({ days: n }) }) as InputSpec;
  expect(refused(reading({ yesterday: days(1), week: days(7) }))).toBe(
    "two-selves gold/x.inputs.week: the asset reads itself as 'yesterday' already => Let one go back far enough, and choose from its rows",
  );
});

test('a function that maps an asset to itself must answer with earlier times', () => {
  const mapped = (by: number) => {
    const before = timesBy('mine', {
      upstream: ({ lo, hi }) => [lo + by, hi + by],
      downstream: ({ lo, hi }) => [lo - by, hi - by],
    });
    const made = asset('gold/x', { ...table, inputs: { before: self({ date: before }) }, query });
    const mapping = build([made]).node('gold/x').inputs[0]?.alternatives[0]?.mapping;
    return () => mapping?.upstream({ symbol: 'A' }, 18262);
  };
  expect(mapped(-1)()).toEqual([18261, 18262]);
  expect(shown(mapped(0))).toBe(
    "self-not-earlier: timesBy('mine') lets an asset read itself at 2020-01-01 for 2020-01-01, which would never end\n=> An asset can read itself only at earlier times: the range must end at or before the index asked about.",
  );
  expect(shown(mapped(3))).toContain('read itself at 2020-01-04 for 2020-01-01');
});
