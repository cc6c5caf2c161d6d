import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bronze, kline, silver } from './klines.ts';
import { bind, compute, rawPart, rowsOf, target, workshop } from './support.ts';

const archive = join(import.meta.dirname, '../../../shared/data/archive/data');
const present = existsSync(archive);
const shop = await workshop();

describe.skipIf(!present)(`real archives${present ? '' : ' (skipped: ../shared/data is not there)'}`, () => {
  const days = present
    ? readdirSync(archive, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
        const date = /\/klines\/.*-(\d{4}-\d\d-\d\d)\.zip$/.exec(name)?.[1];
        return date === undefined ? [] : [{ path: join(archive, name), name, date }];
      })
    : [];

  test('every daily kline file becomes exact rows, also when read in one batch', async () => {
    expect(days.length).toBeGreaterThan(10);
    const targets = days.map(({ date }, i) => target(silver, kline(`S${i}`, date)));
    const parts = await Promise.all(
      days.map(async ({ path, date }, i) => rawPart(shop, bronze, kline(`S${i}`, date), await readFile(path))),
    );
    const result = await compute(shop, silver, targets, [bind('raw', bronze, parts, targets)]);
    const rows = new Map(days.map(({ name }, i) => [name.split('/').at(-1), result.outcomes[i]?.rows]));
    for (const day of ['01', '02', '03']) expect(rows.get(`BTCUSDT-1m-2020-01-${day}.zip`)).toBe(1440);
    expect([...rows.values()].every((count) => count !== undefined && count > 0)).toBe(true);
    const text = await rowsOf(
      shop,
      silver,
      result.packs.map(({ path }) => path),
    );
    expect(text).toHaveLength(result.outcomes.reduce((sum, outcome) => sum + outcome.rows, 0));
  });
});
