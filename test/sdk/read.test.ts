import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isLakehouseError } from 'crypto-lakehouse';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TemporaryLake, temporaryLake } from '../../framework/testing.ts';
import { fewDays, NOON, smallLake } from './lake.ts';

const { definition, feed, zips, notes, ticks, bars, months, highs } = smallLake(fewDays());
let lake: TemporaryLake;

beforeAll(async () => {
  lake = await temporaryLake({ definition, now: NOON });
  const { outcome, failures } = await lake.materialize();
  expect({ outcome, failures }).toEqual({ outcome: 'succeeded', failures: [] });
});
afterAll(() => lake.close());

const failure = async (work: () => unknown): Promise<unknown> => {
  try {
    await work();
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    return { code: error.code, message: error.message, hint: error.hint };
  }
  throw new Error('nothing was thrown');
};

describe('read', () => {
  test('rows have the values that compute functions have, by time and series', async () => {
    expect(await lake.read(ticks, { market: 'spot', symbol: 'AAA', date: '2024-01-30..2024-01-31' }).rows()).toEqual([
      {
        market: 'spot',
        symbol: 'AAA',
        date: '2024-01-30',
        at: new Date('2024-01-30T00:00Z'),
        price: '10.00',
        share: null,
        trades: 9007199254740993n,
        name: "AAA's",
      },
      {
        market: 'spot',
        symbol: 'AAA',
        date: '2024-01-30',
        at: new Date('2024-01-30T00:01Z'),
        price: '11.00',
        share: 0.5,
        trades: 9007199254740994n,
        name: "AAA's",
      },
      expect.objectContaining({ date: '2024-01-31', price: '11.00' }),
      expect.objectContaining({ date: '2024-01-31', price: '12.00' }),
    ]);
  });

  test('values, lists, globs and ranges choose partitions; only the columns asked for come', async () => {
    const price = (symbol: string, market: 'spot' | 'um', price: string) => ({ symbol, market, price });
    const columns = ['symbol', 'market', 'price'] as const;
    expect(await lake.read(ticks, { symbol: 'A*', date: '2024-02' }, { columns }).rows()).toEqual([
      price('AAA', 'spot', '12.00'),
      price('AAA', 'spot', '13.00'),
      price('A_B', 'spot', '22.00'),
      price('AAA', 'um', '32.00'),
    ]);
    // Of a pattern in SQL, _ would be any character.
    expect(await lake.read(ticks, { symbol: 'A_*', date: { to: '2024-01-30' } }, { columns }).rows()).toEqual([
      price('A_B', 'spot', '20.00'),
    ]);
    const days = { symbol: ['A_B', 'AAA'], market: ['um'], date: ['2024-01-30', '2024-02-01..'] } as const;
    expect(await lake.read(ticks, days, { columns }).rows()).toEqual([
      price('AAA', 'um', '30.00'),
      price('AAA', 'um', '32.00'),
    ]);
    expect(await lake.read(ticks, { date: '2023' }).rows()).toEqual([]);
    expect(await lake.read(ticks, { symbol: [] }).rows()).toEqual([]);
    // Both ends open.
    expect(await lake.read(ticks, { date: {}, market: 'um' }).rows()).toHaveLength(3);
  });

  test('batches, counts, partitions and an Arrow table say the same', async () => {
    const read = lake.read(ticks, { market: 'spot' });
    const batches: (typeof rows)[] = [];
    const rows = await read.rows();
    for await (const batch of read.batches()) batches.push(batch);
    expect(batches.flat()).toEqual(rows);
    expect(await read.count()).toBe(9);
    expect(rows.length).toBe(9);
    expect((await read.partitions()).slice(0, 2)).toEqual([
      { market: 'spot', symbol: 'AAA', date: '2024-01-30' },
      { market: 'spot', symbol: 'AAA', date: '2024-01-31' },
    ]);
    const table = await read.arrow();
    expect(table.numRows).toBe(9);
    expect([...(table.getChild('name') ?? [])]).toEqual(rows.map(({ name }) => name));
    expect([...(table.getChild('trades') ?? [])]).toEqual(rows.map(({ trades }) => trades));
  });

  test('rows without order are the same rows', async () => {
    const text = (rows: readonly object[]) => rows.map((row) => JSON.stringify(Object.values(row).map(String))).sort();
    expect(text(await lake.read(ticks, {}, { ordered: false }).rows())).toEqual(text(await lake.read(ticks).rows()));
  });

  test('leaving the loop over batches ends the query, and the next one is answered', async () => {
    for await (const batch of lake.read(ticks).batches()) {
      expect(batch.length).toBeGreaterThan(0);
      break;
    }
    expect(await lake.read(months, { month: '2024-01' }, { columns: ['symbol', 'high'] }).rows()).toEqual([
      { symbol: 'AAA', high: '12.00' },
      { symbol: 'A_B', high: '21.00' },
      { symbol: 'AAA', high: '31.00' },
    ]);
  });

  test('only files of the partitions asked for are opened', async () => {
    const opened = fewDays();
    const small = smallLake(opened);
    await using own = await temporaryLake({ definition: small.definition, now: NOON });
    await own.materialize(['silver/ticks', 'bronze/ticks', 'feed/days'].join(' or '));
    const files = readdirSync(join(own.directory, 'silver/ticks'), { recursive: true, encoding: 'utf8' });
    const packs = files.filter((name) => name.endsWith('.parquet'));
    for (const name of packs)
      if (!/spot.*A_B/.test(name) && packs.length > 1) rmSync(join(own.directory, 'silver/ticks', name));
    const only = { market: 'spot', symbol: 'A_B' } as const;
    expect(await own.read(small.ticks, only, { columns: ['price'] }).rows()).toEqual(
      ['20.00', '21.00', '22.00'].map((price) => ({ price })),
    );
    expect(await own.sql`SELECT count(*) AS n FROM ${own.read(small.ticks, only)}`.rows()).toEqual([{ n: 3n }]);
    await expect(own.read(small.ticks).rows()).rejects.toThrow('There is no object');
  });

  test('original files are read as rows of their format, and as bytes', async () => {
    const key = { market: 'spot', symbol: 'A_B', date: '2024-01-31' } as const;
    expect(await lake.read(zips, key).rows()).toEqual([{ ...key, minute: '0', price: '21' }]);
    expect(await lake.read(zips, { symbol: 'AAA' }, { columns: ['price'] }).rows()).toEqual(
      [10, 11, 30, 11, 12, 31, 12, 13, 32].map((price) => ({ price: String(price) })),
    );
    expect(await lake.read(zips).count()).toBe(12);
    const found = [];
    for await (const { partition, bytes } of lake.read(notes, { symbol: 'A_B', date: '2024-02' }).originals())
      found.push({ partition, text: Buffer.from(bytes).toString() });
    expect(found).toEqual([{ partition: { market: 'spot', symbol: 'A_B', date: '2024-02-01' }, text: 'note of A_B' }]);
    expect(await failure(() => lake.read(notes).rows())).toMatchObject({ code: 'input-not-a-table' });
    expect(await failure(() => lake.read(zips).arrow())).toMatchObject({ code: 'not-a-table' });
    expect(await failure(() => lake.read(zips).sql)).toMatchObject({ code: 'not-a-table' });
    expect(await failure(() => lake.read(ticks).originals())).toMatchObject({ code: 'not-raw' });
  });

  test('what is not there is refused, with what is near', async () => {
    const loosely = lake.read as (
      asset: unknown,
      partitions?: unknown,
      options?: unknown,
    ) => { rows(): Promise<unknown> };
    expect(await failure(() => lake.read(ticks, { symbol: 'AAB' }).rows())).toEqual({
      code: 'no-such-partition',
      message: "silver/ticks has no partition with symbol 'AAB'",
      hint: "Did you mean 'AAA' or 'A_B'?",
    });
    expect(await failure(() => lake.read(ticks, { symbol: 'AAB' }).partitions())).toMatchObject({
      code: 'no-such-partition',
    });
    expect(await failure(() => loosely(ticks, { sybmol: 'AAA' }))).toMatchObject({
      code: 'bad-filter',
      message: expect.stringContaining("There is no dimension 'sybmol'") as string,
    });
    expect(await failure(() => loosely(ticks, { market: 'sopt' }))).toMatchObject({
      code: 'bad-filter',
      message: expect.stringContaining("Did you mean 'spot'?") as string,
    });
    expect(await failure(() => lake.read(ticks, { date: 'yesterday' }))).toMatchObject({
      code: 'bad-filter',
      message: expect.stringContaining("'yesterday' is not a time") as string,
    });
    expect(await failure(() => loosely(ticks, { symbol: { from: '2024' } }))).toMatchObject({ code: 'bad-filter' });
    expect(await failure(() => loosely(ticks, {}, { columns: ['prize'] }))).toEqual({
      code: 'unknown-column',
      message: "silver/ticks has no column 'prize'",
      hint: "Did you mean 'price'?",
    });
    expect(await failure(() => loosely({ ...ticks, key: 'silver/tick' }))).toEqual({
      code: 'unknown-asset',
      message: "No asset is named 'silver/tick'",
      hint: "Did you mean 'silver/ticks'?",
    });
    expect(await failure(() => lake.read(feed))).toMatchObject({ code: 'not-a-table' });
  });
});

describe('sql', () => {
  test('values are values, whatever they hold, and assets, views and reads are relations', async () => {
    const nasty = "A'; DROP TABLE x; --";
    expect(
      await lake.sql`SELECT ${nasty} AS a, ${1n} AS b, ${-2.5} AS c, ${null} AS d, ${true} AS e, ${new Date(0)} AS f, ${['x', nasty]} AS g`.rows(),
    ).toEqual([{ a: nasty, b: 1, c: -2.5, d: null, e: true, f: new Date(0), g: ['x', nasty] }]);
    const read = lake.read(ticks, { date: '2024-01' });
    expect(
      await lake.sql<{ symbol: string; high: string; rows: bigint }>`
        SELECT h.symbol, h.high, count(*) AS rows FROM ${highs} h JOIN ${read} t USING (symbol)
        WHERE symbol IN ${['AAA', 'A_B']} AND symbol <> ${nasty} GROUP BY ALL ORDER BY ALL`.rows(),
    ).toEqual([
      { symbol: 'AAA', high: '32.00', rows: 6n },
      { symbol: 'A_B', high: '22.00', rows: 2n },
    ]);
    expect(await lake.sql`FROM ${ticks}`.count()).toBe(12);
    expect(await lake.query(`SELECT max(high) AS high FROM gold.months WHERE symbol = 'AAA'`).rows()).toEqual([
      { high: '31.00' },
    ]);
    expect(await lake.query(`SELECT count(*) AS n FROM (${lake.read(bars, { symbol: 'A_B' }).sql})`).rows()).toEqual([
      { n: 3n },
    ]);
  });

  test('a text has parameters by name or in their order, and the lake as it was', async () => {
    const days = 'SELECT count(*) AS n FROM gold.bars WHERE symbol = $symbol AND date < $until';
    expect(await lake.query(days, { symbol: 'A_B', until: new Date('2024-02-01') }).rows()).toEqual([{ n: 2n }]);
    expect(await lake.query('SELECT ? AS a, ? AS b', ["it's", [1, null]]).rows()).toEqual([
      { a: "it's", b: [1, null] },
    ]);
    expect(await failure(() => lake.query(days, { symbol: 'A_B' }))).toEqual({
      code: 'missing-parameter',
      message: 'The statement has a parameter without a value: $until',
      hint: 'Give their values: lake.query(text, { name: value }), or a list of those of ?.',
    });
    expect(await failure(() => lake.query('SELECT 1', { x: 1 }))).toMatchObject({ code: 'unknown-parameter' });
    expect(await lake.query('FROM gold.bars', {}, { asOf: 'last' }).count()).toBe(9);
    expect(await failure(() => lake.query('FROM gold.bars', {}, { asOf: '@99' }).rows())).toMatchObject({
      code: 'bad-as-of',
    });
    expect(await lake.query('FROM gold.bars', {}, { asOf: '@0' }).count()).toBe(0);
  });

  test('a lake without the asset does not take it, nor what is no value', async () => {
    const { ticks: others } = smallLake(new Map());
    expect(() => lake.sql`FROM ${{ ...others, key: 'silver/tocks' }}`).toThrow("No asset is named 'silver/tocks'");
    expect(() => lake.sql`SELECT ${undefined as never}`).toThrow('undefined cannot stand in a statement');
    expect(() => lake.sql`SELECT ${{} as never}`).toThrow('Only values, assets, views, reads');
  });

  test('nothing outside of the lake is read, and nothing is written', async () => {
    expect(await failure(() => lake.sql`SELECT * FROM read_csv(${import.meta.filename})`.rows())).toMatchObject({
      code: expect.stringMatching(/query|file/) as string,
    });
    expect(await failure(() => lake.query('CREATE TABLE x (a INT)').rows())).toMatchObject({
      code: 'query-not-select',
    });
  });

  test('an aborted signal ends it with its reason', async () => {
    const reason = new Error('enough');
    await expect(lake.sql`FROM ${ticks}`.rows({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
