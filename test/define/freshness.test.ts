import { describe, expect, test } from 'vitest';
import type { AssetDefinition } from '../../framework/define/model.ts';
import {
  asset,
  columns,
  daily,
  type FreshnessPolicy,
  materializedWithin,
  source,
  sql,
  text,
  within,
} from '../../framework/index.ts';
import { refused } from './support.ts';

const HOUR = 3_600_000;
const date = daily({ start: '2020-01-01' });
const table = { columns: columns({ v: text() }), sortBy: ['v'], query: () => sql`SELECT 1 AS v` } as const;

/** As somebody without a compiler writes it. */
function loosely(freshness: unknown, partitions: object = { date }): AssetDefinition {
  const declare = asset as unknown as (key: string, options: object) => AssetDefinition;
  return declare('gold/x', { ...table, partitions, freshness });
}

describe('a policy', () => {
  test('is plain data in milliseconds', () => {
    expect(within({ hours: 30 }, { warn: { hours: 26 } })).toEqual({
      basis: 'data',
      limitMs: 30 * HOUR,
      warnMs: 26 * HOUR,
    });
    expect(materializedWithin({ days: 1, hours: 2, minutes: 3 })).toEqual({
      basis: 'materialization',
      limitMs: 26 * HOUR + 180_000,
      warnMs: undefined,
    });
  });

  test('is carried by assets and sources, alone or both kinds', () => {
    const one = within({ hours: 30 });
    const two = [one, materializedWithin({ days: 1 })] as const;
    const of = (definition: AssetDefinition): readonly FreshnessPolicy[] => {
      expect(definition.issues).toEqual([]);
      return definition.freshness;
    };
    expect(of(asset('gold/x', { ...table, partitions: { date } }))).toEqual([]);
    expect(of(asset('gold/x', { ...table, partitions: { date }, freshness: one }))).toEqual([one]);
    expect(of(asset('gold/x', { ...table, partitions: { date }, freshness: two }))).toEqual(two);
    expect(of(asset('gold/x', { ...table, freshness: two[1] }))).toEqual([two[1]]);
    const observe = async function* () {};
    expect(of(source('src/x', { partitions: { date }, observe, freshness: two }))).toEqual(two);
  });
});

describe('what is wrong is reported where it stands', () => {
  test('lengths that are none', () => {
    const limit =
      'bad-freshness gold/x.freshness: within(): the limit is no length of time above zero => Write e.g. within({ hours: 30 })';
    for (const wrong of [{}, { hours: 0 }, { hours: -1 }, { days: Number.NaN }, { hour: 30 }, 30])
      expect(refused(loosely(within(wrong as { hours: number })))).toBe(limit);
    expect(refused(loosely(materializedWithin({ days: Number.POSITIVE_INFINITY })))).toBe(
      limit.replaceAll('within', 'materializedWithin'),
    );
  });

  test('a warning that does not come first', () => {
    const warn =
      'bad-freshness gold/x.freshness: within(): `warn` is not between zero and the limit => Write e.g. within({ hours: 30 }, { warn: { hours: 26 } })';
    for (const hours of [30, 31, 0, Number.NaN])
      expect(refused(loosely(within({ hours: 30 }, { warn: { hours } })))).toBe(warn);
  });

  test('twice the same kind', () => {
    expect(refused(loosely([within({ hours: 1 }), within({ hours: 2 })]))).toBe(
      'duplicate-freshness gold/x.freshness: within(): is there twice => Keep one of them',
    );
  });

  test('data time where there is no time', () => {
    expect(refused(loosely(within({ hours: 1 }), {}))).toBe(
      'freshness-without-time gold/x.freshness: within(): the asset has no time dimension to be behind in => Write materializedWithin() to say how often it is to be computed',
    );
  });
});
