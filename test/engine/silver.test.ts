import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { isLakehouseError, type LakehouseError } from '../../framework/common/errors.ts';
import { asset } from '../../framework/define/asset.ts';
import { dynamicDimension, monthly, staticDimension } from '../../framework/define/dimensions.ts';
import { zipCsv } from '../../framework/define/formats.ts';
import type { BoundInput, BoundPart } from '../../framework/engine/port.ts';
import { proveBatching } from '../../framework/engine/prove.ts';
import { writeZip } from '../../framework/formats/zip.ts';
import { bronze, CSV_COLUMNS, kline, klineCsv, silver } from './klines.ts';
import { bind, compute, hex, rawPart, rowsOf, target, workshop, zipPart } from './support.ts';

const shop = await workshop();
const signal = new AbortController().signal;
const dates = ['2024-01-01', '2024-01-02', '2024-01-03'];
const targets = dates.map((date) => target(silver, kline('BTCUSDT', date)));
const day = (date: string, csv: string) => zipPart(shop, bronze, kline('BTCUSDT', date), csv);
const good = await Promise.all(
  dates.map((date, i) =>
    day(date, klineCsv(date, { minutes: [300, 1440, 7][i] ?? 0, header: i === 1, micros: i === 2 })),
  ),
);

/** Days as they are, some replaced. */
const raw = (replaced: Readonly<Record<number, BoundPart>> = {}): BoundInput[] => [
  bind(
    'raw',
    bronze,
    good.map((part, i) => replaced[i] ?? part),
    targets,
  ),
];

async function refusal(inputs: BoundInput[], mine = targets): Promise<LakehouseError> {
  const path = shop.newPath();
  const error = await compute(shop, silver, mine, inputs, {
    packs: [{ path, targets: mine.map((_, i) => i), carry: [] }],
  }).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(existsSync(path)).toBe(false);
  if (!isLakehouseError(error)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

test('zips, with and without header, in milli- and microseconds, have the versions alone that they have together', async () => {
  const result = await compute(shop, silver, targets, raw());
  expect(result.outcomes.map(({ rows }) => rows)).toEqual([300, 1440, 7]);
  expect(result.packs).toEqual([{ path: expect.any(String), rows: 1747, bytes: expect.any(Number) }]);
  expect(result.checks).toEqual([]);
  expect(
    await proveBatching(shop.engine, { definition: silver, targets, inputs: raw(), signal }, shop.newPath),
  ).toEqual([]);
});

test('equal rows in other bytes have the same version', async () => {
  const other = await day(dates[0] ?? '', klineCsv(dates[0] ?? '', { minutes: 300, header: true, micros: true }));
  const [before] = (await compute(shop, silver, targets, raw())).outcomes;
  const [after] = (await compute(shop, silver, targets, raw({ 0: other }))).outcomes;
  // The close of a microsecond candle ends in 999999, so only the same text can be equal.
  expect(hex(after?.version)).not.toBe(hex(before?.version));
  const reframed = await rawPart(
    shop,
    bronze,
    kline('BTCUSDT', dates[0] ?? ''),
    writeZip('x.csv', new TextEncoder().encode(klineCsv(dates[0] ?? '', { minutes: 300, header: true })), {
      modified: new Date('2020-01-01Z'),
      level: 1,
    }),
  );
  const [again] = (await compute(shop, silver, targets, raw({ 0: reframed }))).outcomes;
  expect(hex(again?.version)).toBe(hex(before?.version));
});

test('case 25: volumes of 1e13 and quote volumes of 19 digits are exact', async () => {
  const line =
    '1704067200000,0.00000001,0.00000002,0.00000001,0.00000002,12345678901234.12345678,1704067259999,1234567890123456789.12345678,5,9999999999.99999999,99999999999.00000001,0';
  const [one] = targets;
  const input = bind('raw', bronze, [await day(dates[0] ?? '', `${line}\n`)], one ? [one] : []);
  const result = await compute(shop, silver, one ? [one] : [], [input]);
  expect(
    await rowsOf(
      shop,
      silver,
      result.packs.map(({ path }) => path),
    ),
  ).toEqual([
    [
      'binance',
      'spot',
      'BTCUSDT',
      '1m',
      '2024-01-01',
      '2024-01-01 00:00:00',
      '0.00000001',
      '0.00000002',
      '0.00000001',
      '0.00000002',
      '12345678901234.12345678',
      '2024-01-01 00:00:59.999',
      '1234567890123456789.12345678',
      5n,
      '9999999999.99999999',
      '99999999999.00000001',
    ],
  ]);
});

test('an empty member, or one with nothing but a header, is a partition without rows', async () => {
  const result = await compute(
    shop,
    silver,
    targets,
    raw({
      0: await day('2024-01-01', ''),
      1: await day('2024-01-02', klineCsv('2024-01-02', { header: true, minutes: 0 })),
    }),
  );
  expect(result.outcomes.map(({ rows }) => rows)).toEqual([0, 0, 7]);
  expect(hex(result.outcomes[0]?.version)).toBe(hex(result.outcomes[1]?.version));
});

describe('22: a day zip with rows of another day is refused, naming the file', () => {
  test('a row of the next day, although that day is wanted too', async () => {
    const stray = await day(
      '2024-01-01',
      klineCsv('2024-01-01', { minutes: 3 }) + klineCsv('2024-01-02', { minutes: 1 }),
    );
    const error = await refusal(raw({ 0: stray, 1: await day('2024-01-02', '') }));
    expect(error.code).toBe('rows-outside-partition');
    expect(error.message).toContain(
      `silver/klines: 1 rows of bronze/klines exchange=binance/market=spot/symbol=BTCUSDT/interval=1m/date=2024-01-01 (${stray.path}) have a 'open_time' outside that partition: {"open_time":"2024-01-02 00:00:00"`,
    );
    expect(error.details).toMatchObject({ targets: [0], file: stray.path });
  });

  test('two zips that were swapped', async () => {
    const error = await refusal(
      raw({ 0: await day('2024-01-01', klineCsv('2024-01-02')), 1: await day('2024-01-02', klineCsv('2024-01-01')) }),
    );
    expect(error.code).toBe('rows-outside-partition');
  });

  test('a row of a day that nobody asked for', async () => {
    const error = await refusal(
      raw({
        2: await day('2024-01-03', klineCsv('2024-01-03', { minutes: 2 }) + klineCsv('2031-05-05', { minutes: 1 })),
      }),
    );
    expect(error.message).toContain('"open_time":"2031-05-05 00:00:00"');
  });

  test('alone as in the batch', async () => {
    const [one] = targets;
    const error = await refusal(
      [bind('raw', bronze, [await day('2024-01-01', klineCsv('2024-01-02'))], one ? [one] : [])],
      one ? [one] : [],
    );
    expect(error.message).toContain('1440 rows of');
  });
});

describe('bad files are refused, naming the file', () => {
  const withLine = (line: string, header = false) =>
    `${klineCsv('2024-01-02', { minutes: 2, header })}${line}\n${klineCsv('2024-01-02', { minutes: 4 }).split('\n').slice(2).join('\n')}`;
  const row = '1704153720000,1,1,1,1,1,1704153779999,1,1,1,1,0';

  test.each([
    ['11 columns', 'csv-columns', withLine(row.slice(0, -2)), 'line 3 has 11 columns where 12 were expected'],
    ['13 columns', 'csv-columns', withLine(`${row},7`), 'line 3 has 13 columns where 12 were expected'],
    [
      '11 columns below a header',
      'csv-columns',
      withLine(row.slice(0, -2), true),
      'line 4 has 11 columns where 12 were expected',
    ],
    [
      'text in a number',
      'query-data',
      withLine(row.replace(',1,1,1,1,', ',1,abc,1,1,')),
      'Could not convert string "abc" to DECIMAL(18,8)',
    ],
    [
      'text in a time',
      'query-data',
      withLine(row.replace('1704153720000', 'soon')),
      "Could not convert string 'soon' to INT64",
    ],
    ['an empty field', 'null-in-column', withLine(row.replace(',1,1,1,1,', ',1,,1,1,')), "1 row with NULL in 'high'"],
    [
      'a row twice',
      'duplicate-rows',
      withLine(klineCsv('2024-01-02', { minutes: 1 }).trim()),
      'rows with the same open_time',
    ],
  ])('%s', async (_, code, csv, message) => {
    const part = await day('2024-01-02', csv);
    const error = await refusal(raw({ 1: part }));
    expect(error.message).toContain(message);
    expect([error.code, error.kind]).toEqual([code, 'data']);
    expect(error.message).toContain('date=2024-01-02');
    if (code === 'csv-columns' || code === 'query-data') expect(error.message).toContain(part.path);
    expect(error.details?.targets).toEqual([1]);
  });

  test('a flipped bit that the zip still admits', async () => {
    const bytes = new Uint8Array(await readFile(good[1]?.path ?? ''));
    bytes[400] = (bytes[400] ?? 0) ^ 1;
    const error = await refusal(raw({ 1: await rawPart(shop, bronze, kline('BTCUSDT', '2024-01-02'), bytes) }));
    expect(error.code).toMatch(/^zip-/);
  });

  test('a file that is not the one that was stored, and one that is gone', async () => {
    const part = good[1];
    if (part === undefined) throw new Error('no part');
    expect(await refusal(raw({ 1: { ...part, version: new Uint8Array(16) } }))).toMatchObject({
      code: 'file-corrupt',
      kind: 'data',
      message: expect.stringContaining(part.path),
    });
    expect(await refusal(raw({ 1: { ...part, path: `${part.path}.gone` } }))).toMatchObject({
      code: 'file-missing',
      kind: 'transient',
    });
  });

  test('and nothing is left in the temporary directory', async () => {
    expect((await readdir(shop.directory)).filter((name) => !name.startsWith('file-'))).toEqual([]);
  });
});

test('a month zip gives the days asked for; the others are left in it', async () => {
  const bronzeMonthly = asset('bronze/klines_monthly', {
    partitions: {
      exchange: staticDimension(['binance']),
      market: staticDimension(['spot']),
      symbol: dynamicDimension(),
      interval: staticDimension(['1m']),
      month: monthly({ start: '2020-01' }),
    },
    format: zipCsv({ columns: CSV_COLUMNS }),
    compute: () => new Uint8Array(),
  });
  const values = { exchange: 'binance', market: 'spot', symbol: 'BTCUSDT', interval: '1m', month: '2024-01' };
  const csv = dates.map((date, i) => klineCsv(date, { minutes: [300, 1440, 7][i] ?? 0 })).join('');
  const part = await zipPart(shop, bronzeMonthly, values, csv);
  const wanted = [0, 2].flatMap((i) => targets[i] ?? []);
  const input = bind('raw', bronzeMonthly, [part], wanted, () => true);
  const result = await compute(shop, silver, wanted, [input]);
  expect(result.outcomes.map(({ rows }) => rows)).toEqual([300, 7]);
  const daily = await compute(shop, silver, targets, raw());
  expect(hex(result.outcomes[0]?.version)).toBe(hex(daily.outcomes[0]?.version));
  const stray = await zipPart(shop, bronzeMonthly, values, csv + klineCsv('2024-02-01', { minutes: 1 }));
  expect((await refusal([bind('raw', bronzeMonthly, [stray], wanted, () => true)], wanted)).message).toContain(
    '"open_time":"2024-02-01 00:00:00"',
  );
});

test('several series and several packs in one batch', async () => {
  const all = ['AUSDT', 'BUSDT'].flatMap((symbol) => dates.map((date) => target(silver, kline(symbol, date))));
  const parts = await Promise.all(
    all.map((t, i) =>
      zipPart(
        shop,
        bronze,
        kline(t.values.symbol ?? '', dates[i % 3] ?? ''),
        klineCsv(dates[i % 3] ?? '', { seed: i, minutes: 10 + i }),
      ),
    ),
  );
  const input = bind('raw', bronze, parts, all, (t, p) => t.time === p.time && t.values.symbol === p.values.symbol);
  const packs = [[0, 1, 2], [3], [4, 5]].map((ordinals) => ({ path: shop.newPath(), targets: ordinals, carry: [] }));
  const result = await compute(shop, silver, all, [input], { packs });
  expect(result.outcomes.map(({ rows }) => rows)).toEqual([10, 11, 12, 13, 14, 15]);
  expect(result.packs.map(({ rows }) => rows)).toEqual([33, 13, 29]);
  const one = await compute(shop, silver, all, [input]);
  expect(one.outcomes).toEqual(result.outcomes);
});
