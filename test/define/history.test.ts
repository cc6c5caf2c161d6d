import { asset, columns, sql, text } from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import type { AssetDefinition } from '../../framework/define/model.ts';

const table = { columns: columns({ name: text() }), sortBy: ['name'], query: () => sql`SELECT 'a' AS name` } as const;

function loosely(history: unknown): AssetDefinition {
  const declare = asset as unknown as (key: string, options: object) => AssetDefinition;
  return declare('gold/x', { ...table, history });
}

test('a history is a length of time, as text or as freshness has it', () => {
  const of = (history: Parameters<typeof loosely>[0]) => loosely(history).historyMs;
  expect(['30d', '12h', '45m', '1.5h', { days: 30 }, { days: 1, hours: 2 }, undefined].map(of)).toEqual([
    2_592_000_000,
    43_200_000,
    2_700_000,
    5_400_000,
    2_592_000_000,
    93_600_000,
    undefined,
  ]);
  asset('gold/x', { ...table, history: '30d' });
  asset('gold/x', { ...table, history: { days: 30 } });
  // @ts-expect-error weeks are no unit
  asset('gold/x', { ...table, history: '4w' });
});

test('anything else is a problem of the definition', () => {
  for (const history of ['4w', '30', 'd', '-1d', '0d', '', 30, {}, { days: 0 }, { days: -1 }, ['30d']])
    expect(loosely(history).issues, JSON.stringify(history)).toMatchObject([
      {
        code: 'bad-history',
        path: ['gold/x', 'history'],
        message: 'is no length of time above zero',
        hint: "Write e.g. history: '30d'",
      },
    ]);
});
