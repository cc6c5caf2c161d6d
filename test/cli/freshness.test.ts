import {
  asset,
  columns,
  daily,
  defineLakehouse,
  dynamicDimension,
  integer,
  materializedWithin,
  source,
  within,
} from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { NOON, type Place, place } from './support.ts';

const HOUR = 3_600_000;
/** At noon of 2 February the 30th of January is due since twelve hours. */
const DUE = Date.UTC(2024, 1, 2);

/** A source that has what it is told, a table by data time, one by materialization time, and one without a policy. */
function lake(seen: Readonly<Record<string, number>>) {
  const partitions = { symbol: dynamicDimension(), date: daily({ start: '2024-01-01' }) };
  const feed = source('files/feed', {
    partitions,
    observe: async function* () {
      for (const [symbol, days] of Object.entries(seen)) {
        for (let day = 1; day <= days; day++)
          yield { partition: { symbol, date: `2024-01-${String(day).padStart(2, '0')}` }, version: 'v' };
      }
    },
  });
  const table = { columns: columns({ n: integer() }), sortBy: ['n'], config: 'none' } as const;
  const one = asset('silver/one', {
    ...table,
    partitions,
    inputs: { feed },
    compute: () => [{ n: 1 }],
    freshness: within({ hours: 30 }, { warn: { hours: 10 } }),
  });
  const two = asset('gold/two', {
    ...table,
    partitions,
    inputs: { one },
    compute: () => [{ n: 2 }],
    freshness: materializedWithin({ days: 1 }),
  });
  const three = asset('gold/three', { ...table, partitions, inputs: { one }, compute: () => [{ n: 3 }] });
  return defineLakehouse({ assets: [feed, one, two, three] });
}

async function made(seen: Readonly<Record<string, number>>, now: number): Promise<Place> {
  const here = await place();
  here.now = now;
  const { code, err } = await here.run(['materialize'], { definition: lake(seen) });
  expect(code, err).toBe(0);
  return here;
}
/** Minutes are enough: the clock of the tests goes on by a millisecond with each look. */
const lagOf = ({ lagMs, ...rest }: { lagMs: number }) => ({ ...rest, hours: Math.floor(lagMs / HOUR) });

describe('status', () => {
  test('has a column where an asset has a policy, and tells late from overdue', async () => {
    const definition = lake({ AAA: 29, BBB: 29 });
    const here = await made({ AAA: 29, BBB: 29 }, NOON);
    const shown = async () => (await here.run(['status'], { definition })).out.replaceAll(/ {2}\d{4}-.*/g, '');
    expect(await shown()).toMatchInlineSnapshot(`
      "ASSET       FRESH  STALE  MISSING  AWAITING  UNAVAILABLE  FAILED  LAG                         LAST COMPUTED
      files/feed     58      -        -         4            2       -                              observed 2024-02-02 12:00:00 UTC
      silver/one     58      -        -         4            2       -  warn, 12h late (limit 30h)
      gold/three     58      -        -         4            2       -                            
      gold/two       58      -        -         4            2       -  on time                   
      "
    `);
    here.now = DUE + 31 * HOUR;
    expect(await shown()).toMatchInlineSnapshot(`
      "ASSET       FRESH  STALE  MISSING  AWAITING  UNAVAILABLE  FAILED  LAG                            LAST COMPUTED
      files/feed     58      -        -         4            4       -                                 observed 2024-02-02 12:00:00 UTC
      silver/one     58      -        -         4            4       -  overdue, 31h late (limit 30h)
      gold/three     58      -        -         4            4       -                               
      gold/two       58      -        -         4            4       -  on time                      
      "
    `);
    expect((await here.run(['status', 'gold/three'], { definition })).out).not.toContain('LAG');
  });

  test('--fail-overdue is for scripts: overdue or not to be told is exit code 1, late is not', async () => {
    const definition = lake({ AAA: 29 });
    const fresh = await place();
    const exit = async (here: Place, ...words: string[]) =>
      (await here.run(['status', ...words, '--fail-overdue'], { definition })).code;
    expect(await exit(fresh)).toBe(1);
    expect(await exit(fresh, 'gold/three')).toBe(0);
    const here = await made({ AAA: 29 }, NOON);
    expect(await exit(here)).toBe(0);
    here.now = DUE + 31 * HOUR;
    expect(await exit(here, 'silver/one')).toBe(1);
    expect((await here.run(['status'], { definition })).code).toBe(0);
  });

  test('as JSON, of the series that were asked for', async () => {
    const definition = lake({ AAA: 29, BBB: 29 });
    const here = await made({ AAA: 29, BBB: 29 }, NOON);
    await here.run(['wipe', 'silver/one', '-p', 'symbol=BBB,date=2024-01-29', '--yes'], { definition });
    here.now = DUE + 3 * HOUR;
    const freshness = async (...words: string[]) => {
      const { assets } = (await here.json(['status', 'silver/one', ...words], { definition })) as {
        assets: { freshness: { lagMs: number; late: { lagMs: number }[] } }[];
      };
      const found = assets[0]?.freshness;
      return found && { ...lagOf(found), late: found.late.map(lagOf) };
    };
    const late = {
      series: 'symbol=BBB',
      status: 'warn',
      basis: 'data',
      hours: 27,
      limitMs: 30 * HOUR,
      deadline: '2024-02-02T06:00:00.000Z',
      since: '2024-02-01T10:00:00.000Z',
      newest: 'symbol=BBB/date=2024-01-28',
    };
    const policies = [{ basis: 'data', limitMs: 30 * HOUR, warnMs: 10 * HOUR }];
    const counts = { 'on-time': 1, unknown: 0, warn: 1, overdue: 0 };
    expect(await freshness()).toEqual({ ...late, policies, counts, late: [late] });
    expect(await freshness('-p', 'symbol=AAA')).toMatchObject({ status: 'on-time', hours: 3, late: [] });
  });
});

test('show says how late an asset is, and by which policies', async () => {
  const definition = lake({ AAA: 29, BBB: 28 });
  const here = await made({ AAA: 29, BBB: 28 }, NOON);
  const section = async (key: string) =>
    /Freshness\n(.*?)\n\n/s.exec((await here.run(['show', key], { definition })).out)?.[1];
  expect(await section('silver/one')).toMatchInlineSnapshot(`
    "  warn, 12h late (limit 30h)
      2 of 2 series; the worst is AAA
      newest content symbol=AAA/date=2024-01-29
      warned of since 2024-02-02 10:00:00 UTC, overdue after 2024-02-03 06:00:00 UTC
      policy: what is published is there within 30h of when it normally is, warned of after 10h"
  `);
  expect(await section('gold/two')).toMatchInlineSnapshot(`
    "  on time
      newest content symbol=AAA/date=2024-01-29
      overdue after 2024-02-03 12:00:00 UTC
      policy: computed, or found up to date, within the last 24h"
  `);
  expect(await section('gold/three')).toBeUndefined();
  expect(await here.json(['show', 'silver/one'], { definition })).toMatchObject({
    freshness: { status: 'warn', counts: { warn: 2 }, policies: [{ limitMs: 30 * HOUR }] },
  });
});

test('assets as JSON have their policies', async () => {
  const here = await place();
  const list = (await here.json(['assets'], { definition: lake({}) })) as { key: string; freshness: object[] }[];
  expect(Object.fromEntries(list.map(({ key, freshness }) => [key, freshness]))).toEqual({
    'files/feed': [],
    'silver/one': [{ basis: 'data', limitMs: 30 * HOUR, warnMs: 10 * HOUR }],
    'gold/two': [{ basis: 'materialization', limitMs: 24 * HOUR }],
    'gold/three': [],
  });
});

test('explain says how late the series of a partition is', async () => {
  const definition = lake({ AAA: 29 });
  const here = await made({ AAA: 29 }, NOON);
  const words = ['explain', 'silver/one', 'symbol=AAA/date=2024-01-29'];
  expect((await here.run(words, { definition })).out).toContain(
    '\n  lag of its series: warn, 12h late (limit 30h), newest content symbol=AAA/date=2024-01-29, warned of since 2024-02-02 10:00:00 UTC, overdue after 2024-02-03 06:00:00 UTC\n',
  );
  expect(await here.json(words, { definition })).toMatchObject({ freshness: { status: 'warn', basis: 'data' } });
  const three = ['explain', 'gold/three', 'symbol=AAA/date=2024-01-29'];
  expect((await here.run(three, { definition })).out).not.toContain('lag');
  expect(await here.json(three, { definition })).not.toHaveProperty('freshness');
});
