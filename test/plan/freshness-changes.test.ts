import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AssetFreshness, type SeriesFreshness, summarize } from '../../framework/plan/freshness.ts';
import { type FreshnessChange, type LateMemory, transitions } from '../../framework/plan/freshness-changes.ts';

const LIMIT = 30;
type Told = SeriesFreshness['status'];

function one(series: string, status: Told, lagMs = 0, since?: number): SeriesFreshness {
  const late = status === 'warn' || status === 'overdue';
  return {
    series,
    status,
    basis: 'data',
    lagMs: status === 'unknown' ? undefined : lagMs,
    limitMs: LIMIT,
    deadline: undefined,
    since: late ? since : undefined,
    newest: `${series}/newest`,
    why: status === 'unknown' ? 'never-computed' : undefined,
  };
}
const lake = (assets: Record<string, SeriesFreshness[]>): Map<string, AssetFreshness> =>
  new Map(Object.entries(assets).map(([asset, list]) => [asset, summarize(asset, [], list)]));

/** Looks one after the other, at instants 1, 2, 3 …; what was kept in between goes through JSON. */
function looks(...seen: ReadonlyMap<string, AssetFreshness>[]): readonly FreshnessChange[][] {
  let memory: LateMemory = {};
  return seen.map((current, i) => {
    const told = transitions(memory, current, i + 1);
    memory = JSON.parse(JSON.stringify(told.memory));
    return [...told.changes];
  });
}

describe('what has changed since the last look', () => {
  test('is told once: late, overdue, and on time again', () => {
    const at = (status: Told, lagMs = 0, since?: number) => lake({ 'gold/x': [one('s', status, lagMs, since)] });
    const told = looks(
      at('on-time'),
      at('warn', 27, 26),
      at('warn', 28, 26),
      at('overdue', 31, 30),
      at('overdue', 40, 30),
      at('on-time'),
      at('on-time'),
    );
    const base = { asset: 'gold/x', series: ['s'] };
    const worst = (lagMs: number) => ({ series: 's', basis: 'data', lagMs, limitMs: LIMIT, newest: 's/newest' });
    expect(told).toEqual([
      [],
      [{ ...base, from: 'on-time', to: 'warn', since: 26, worst: worst(27) }],
      [],
      [{ ...base, from: 'warn', to: 'overdue', since: 30, worst: worst(31) }],
      [],
      [{ ...base, from: 'overdue', to: 'on-time', since: 6, worst: undefined }],
      [],
    ]);
  });

  test('is one change for all series that change alike, and another for one that is late already', () => {
    const told = looks(
      lake({ 'gold/x': [one('a', 'on-time'), one('b', 'on-time'), one('c', 'overdue', 99, 9)] }),
      lake({ 'gold/x': [one('a', 'overdue', 31, 8), one('b', 'overdue', 33, 6), one('c', 'overdue', 99, 9)] }),
      lake({ 'gold/x': [one('a', 'on-time'), one('b', 'warn', 27, 7), one('c', 'overdue', 99, 9)] }),
    );
    expect(told.map((changes) => changes.map(({ from, to, series, since }) => ({ from, to, series, since })))).toEqual([
      [{ from: 'on-time', to: 'overdue', series: ['c'], since: 9 }],
      [{ from: 'on-time', to: 'overdue', series: ['a', 'b'], since: 6 }],
      [
        { from: 'overdue', to: 'on-time', series: ['a'], since: 3 },
        { from: 'overdue', to: 'warn', series: ['b'], since: 7 },
      ],
    ]);
    expect(told[1]?.[0]?.worst?.series).toBe('b');
  });

  test('what cannot be told neither clears nor alerts again', () => {
    const told = looks(
      lake({ 'gold/x': [one('s', 'overdue', 31, 1)] }),
      lake({ 'gold/x': [one('s', 'unknown')] }),
      new Map([['gold/x', summarize('gold/x', [], [], 'never-observed')]]),
      lake({ 'gold/x': [one('s', 'overdue', 50, 1)] }),
      lake({ 'gold/x': [one('s', 'on-time')] }),
    );
    expect(told.map((changes) => changes.map(({ to }) => to))).toEqual([['overdue'], [], [], [], ['on-time']]);
  });

  test('a series, a policy or an asset that is gone is closed once', () => {
    const late = lake({ 'gold/x': [one('s', 'overdue', 31, 1), one('t', 'warn', 27, 1)] });
    const without = looks(late, lake({ 'gold/x': [one('t', 'on-time')] }), lake({}));
    expect(without.slice(1).map((changes) => changes.map(({ from, to, series }) => [from, to, ...series]))).toEqual([
      [
        ['overdue', 'gone', 's'],
        ['warn', 'on-time', 't'],
      ],
      [],
    ]);
    expect(looks(late, new Map())[1]?.map(({ to, series }) => [to, ...series])).toEqual([
      ['gone', 's'],
      ['gone', 't'],
    ]);
  });

  test('nothing is remembered of what is on time', () => {
    const { memory } = transitions({}, lake({ a: [one('s', 'on-time'), one('u', 'unknown')] }), 1);
    expect(memory).toEqual({});
  });

  test('the changes add up to what is, whatever happens', () => {
    const status = fc.constantFrom<Told>('on-time', 'warn', 'overdue');
    const look = fc.dictionary(fc.constantFrom('a', 'b', 'c'), status);
    fc.assert(
      fc.property(fc.array(look, { maxLength: 20 }), (all) => {
        const seen = all.map((found) => lake({ x: Object.entries(found).map(([s, is]) => one(s, is, 1, 1)) }));
        const now = new Map<string, string>();
        looks(...seen).forEach((changes, i) => {
          for (const { from, to, series } of changes) {
            for (const s of series) {
              expect(now.get(s) ?? 'on-time').toBe(from);
              expect(to).not.toBe(from);
              now.set(s, to);
            }
          }
          for (const s of ['a', 'b', 'c']) {
            const is = all[i]?.[s] ?? 'gone';
            const was = now.get(s) ?? 'on-time';
            expect(was === 'gone' || was === 'on-time' ? 'fine' : was).toBe(
              is === 'gone' || is === 'on-time' ? 'fine' : is,
            );
            if (was === 'gone') now.delete(s);
          }
        });
      }),
    );
  });
});
