import { asset, columns, dynamicDimension, firstAvailable, from, only, source, sql, text } from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import { choiceLabel } from '../../framework/plan/choice.ts';
import { Scenario } from './scenario.ts';

test('alternatives of one asset are told apart: those who chose another are not computed together', () => {
  const symbol = dynamicDimension();
  const table = { columns: columns({ x: text() }), sortBy: ['x'] as const, query: () => sql`SELECT 'x' AS x` };
  const files = source('src/files', { partitions: { symbol }, observe: async function* () {} });
  const raw = asset('bronze/raw', { ...table, partitions: { symbol }, inputs: { files } });
  const other = asset('bronze/other', { ...table, partitions: { symbol }, inputs: { files } });
  const pick = asset('silver/pick', {
    ...table,
    partitions: { symbol },
    inputs: { raw: firstAvailable(from(raw, { symbol: only('A') }), other, from(raw, { symbol: only('B') })) },
  });
  using lake = new Scenario([pick], { now: '2024-01-04T12:00Z' });
  const { inputs } = lake.graph.node('silver/pick');
  expect([0, 1, 2, 255].map((chosen) => choiceLabel(inputs, () => chosen))).toEqual([
    'raw=bronze/raw#1',
    'raw=bronze/other',
    'raw=bronze/raw#3',
    'raw=',
  ]);
});
