import { materializedWithin, within } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { type SeriesFreshness, summarize } from '../../framework/plan/freshness.ts';
import {
  freshnessJson,
  freshnessLines,
  lagText,
  policyText,
  seriesText,
  span,
} from '../../framework/report/freshness.ts';

const HOUR = 3_600_000;
const NOON = Date.UTC(2024, 1, 2, 12);
const policy = within({ hours: 30 }, { warn: { hours: 26 } });

function series(symbol: string, lagMs: number | undefined, more: Partial<SeriesFreshness> = {}): SeriesFreshness {
  const status =
    lagMs === undefined ? 'unknown' : lagMs > 30 * HOUR ? 'overdue' : lagMs > 26 * HOUR ? 'warn' : 'on-time';
  const from = NOON - (lagMs ?? 0);
  return {
    series: `market=spot/symbol=${symbol}`,
    status,
    basis: 'data',
    lagMs,
    limitMs: 30 * HOUR,
    deadline: lagMs === undefined ? undefined : from + 30 * HOUR,
    since: status === 'overdue' ? from + 30 * HOUR : status === 'warn' ? from + 26 * HOUR : undefined,
    newest: lagMs === undefined ? undefined : `market=spot/symbol=${symbol}/date=2024-01-29`,
    why: lagMs === undefined ? 'never-computed' : undefined,
    ...more,
  };
}
const of = (...list: SeriesFreshness[]) => summarize('silver/klines', [policy], list);

test('lengths of time', () => {
  const told = [
    0,
    59_999,
    60_000,
    59.9 * 60_000,
    HOUR,
    30 * HOUR,
    30.5 * HOUR,
    47.99 * HOUR,
    48 * HOUR,
    220 * HOUR,
    -5,
  ];
  expect(told.map(span)).toEqual(['0m', '0m', '1m', '59m', '1h', '30h', '30h 30m', '47h 59m', '2d', '9d 4h', '0m']);
});

describe('how late an asset is', () => {
  test('in a cell', () => {
    const computed = { basis: 'materialization', limitMs: 24 * HOUR } as const;
    expect(
      [
        of(series('A', 0)),
        of(series('A', 2 * HOUR)),
        of(series('A', 27 * HOUR), series('B', 0)),
        of(series('A', 31.5 * HOUR), series('B', 27 * HOUR)),
        of(series('A', undefined)),
        of(),
        of(series('A', undefined, { why: 'silent', since: Date.parse('2024-02-20') })),
        of(series('A', undefined, { why: 'forgotten' })),
        summarize('x/y', [policy], [], 'never-observed'),
        of(series('A', 5 * HOUR, computed)),
        of(series('A', 31 * HOUR, computed)),
      ].map(lagText),
    ).toEqual([
      'on time',
      '2h late (limit 30h)',
      'warn, 27h late (limit 30h)',
      'overdue, 31h 30m late (limit 30h)',
      'never computed',
      'never computed',
      'silent since 2024-02-20',
      'unknown',
      'never observed',
      'on time',
      'overdue, 31h since computed (limit 24h)',
    ]);
  });

  test('in lines', () => {
    expect(freshnessLines(of(series('A', 31 * HOUR), series('B', 40 * HOUR), series('C', 0)))).toEqual([
      'overdue, 40h late (limit 30h)',
      '2 of 3 series; the worst is spot B',
      'newest content market=spot/symbol=B/date=2024-01-29',
      'overdue since 2024-02-02 02:00:00 UTC',
    ]);
    expect(freshnessLines(of(series('A', 27 * HOUR)))).toEqual([
      'warn, 27h late (limit 30h)',
      'newest content market=spot/symbol=A/date=2024-01-29',
      'warned of since 2024-02-02 11:00:00 UTC, overdue after 2024-02-02 15:00:00 UTC',
    ]);
    expect(freshnessLines(of(series('A', undefined), series('B', 0)))).toEqual([
      'unknown: never computed',
      '1 of 2 series; the worst is spot A',
    ]);
    expect(freshnessLines(summarize('x/y', [policy], [], 'never-observed'))).toEqual([
      'unknown: its sources were never all observed',
    ]);
    expect(freshnessLines(of(series('A', 0, { deadline: undefined })))).toEqual([
      'on time',
      'newest content market=spot/symbol=A/date=2024-01-29',
    ]);
  });

  test('of one series in one line', () => {
    expect(seriesText(series('A', 31 * HOUR))).toBe(
      'overdue, 31h late (limit 30h), newest content market=spot/symbol=A/date=2024-01-29, overdue since 2024-02-02 11:00:00 UTC',
    );
    expect(seriesText(series('A', undefined))).toBe('unknown: never computed');
    expect(seriesText(series('A', undefined, { why: 'silent', since: Date.parse('2024-02-20') }))).toBe(
      'unknown: nothing has come for so long that all its series count as ended, since 2024-02-20 00:00:00 UTC',
    );
  });

  test('as JSON, the worst first', () => {
    const found = freshnessJson(
      of(series('A', 27 * HOUR), series('B', 0), series('C', 40 * HOUR), series('D', undefined)),
    );
    const { late, ...rest } = found;
    expect(rest).toEqual({
      status: 'overdue',
      series: 'market=spot/symbol=C',
      basis: 'data',
      lagMs: 40 * HOUR,
      limitMs: 30 * HOUR,
      deadline: '2024-02-02T02:00:00.000Z',
      since: '2024-02-02T02:00:00.000Z',
      newest: 'market=spot/symbol=C/date=2024-01-29',
      policies: [policy],
      counts: { 'on-time': 1, unknown: 1, warn: 1, overdue: 1 },
    });
    expect(late.map((one) => [one.series.at(-1), one.status])).toEqual([
      ['C', 'overdue'],
      ['A', 'warn'],
      ['D', 'unknown'],
    ]);
    expect(JSON.parse(JSON.stringify(freshnessJson(of())))).toMatchObject({ status: 'unknown', why: 'never-computed' });
  });
});

test('policies in words', () => {
  expect([policy, materializedWithin({ days: 3 })].map(policyText)).toEqual([
    'what is published is there within 30h of when it normally is, warned of after 26h',
    'computed, or found up to date, within the last 3d',
  ]);
});
