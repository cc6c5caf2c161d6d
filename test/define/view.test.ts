import { describe, expect, test } from 'vitest';
import {
  asset,
  bytes,
  columns,
  daily,
  defineLakehouse,
  double,
  isLakehouseError,
  type SqlReference,
  type SqlTemplate,
  sql,
  timestamp,
  view,
} from '../../framework/index.ts';

const partitions = { date: daily({ start: '2024-01-01' }) };
const prices = asset('silver/prices', {
  partitions,
  columns: columns({ at: timestamp(), price: double() }),
  sortBy: ['at'],
  compute: () => [],
});
const files = asset('bronze/files', {
  partitions,
  format: bytes({ extension: '.zip' }),
  compute: () => new Uint8Array(),
});

const problem = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    return isLakehouseError(error) ? `${error.code} ${error.kind}: ${error.message}` : String(error);
  }
  return 'none';
};
const all = (key: string) => view(key, { inputs: { prices }, query: ({ prices: p }) => sql`FROM ${p}` });
const lakehouse = (key: string) => defineLakehouse({ assets: [prices, files], views: [all(key)] });

describe('view', () => {
  test('knows columns and dimensions of what it reads, and is plain data', () => {
    const { key, inputs, template } = view('gold/closes', {
      inputs: { prices },
      query: ({ prices: p }) => sql`SELECT ${p.date}, ${p.price} FROM ${p}`,
    });
    expect([key, Object.keys(inputs), template.parts.map((part) => part.type)]).toEqual([
      'gold/closes',
      ['prices'],
      ['text', 'column', 'text', 'column', 'text', 'relation'],
    ]);
    expect(lakehouse('gold/prices').views.map((one) => one.key)).toEqual(['gold/prices']);
  });

  test('says what is wrong with it', () => {
    const query = (of: (p: SqlReference) => SqlTemplate) =>
      problem(() => view('gold/x', { inputs: { prices }, query: ({ prices: p }) => of(p) }));
    expect(query((p) => sql`SELECT ${Reflect.get(p, 'pricee') as SqlReference}`)).toContain(
      "input 'prices' has no column 'pricee'. Did you mean 'price'?",
    );
    expect(query(() => sql`SELECT '${'x'}'`)).toContain('bad-view usage: The view gold/x cannot be made: ');
    expect(problem(() => view('gold/x', { inputs: { files }, query: ({ files: f }) => sql`FROM ${f}` }))).toBe(
      "bad-view usage: The view gold/x cannot be made: its input 'files' is no table",
    );
  });

  test('must fit the lakehouse', () => {
    expect(problem(() => lakehouse('silver/prices'))).toContain('something else has this name');
    expect(problem(() => lakehouse('prices'))).toContain('it is not named zone/name');
    expect(problem(() => defineLakehouse({ assets: [files], views: [all('gold/x')] }))).toContain(
      'silver/prices is not listed in defineLakehouse({ assets })',
    );
  });
});
