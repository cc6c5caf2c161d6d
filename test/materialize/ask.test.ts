import { asset, columns, daily, defineLakehouse, integer, sql, staticDimension, text } from 'crypto-lakehouse';
import { expect, test } from 'vitest';
import type { Engine, LakeView } from '../../framework/engine/port.ts';
import { openFiles } from '../../framework/materialize/lake-files.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { lakeViews } from '../../framework/materialize/views.ts';
import { parseFilter } from '../../framework/partition/filter.ts';
import { askLake, type LakeQuestion, type Scan } from '../../framework/report/query.ts';
import { openTestLake, run } from './lake.ts';
import { atEnd, NOW, temporaryDirectory } from './support.ts';

const never = new AbortController().signal;
const partitions = { symbol: staticDimension(['A', 'B', 'C']), date: daily({ start: '2020-03-30' }) };

/** 2020-04-10 is the day it is: March is over and one file, April is a file a day. */
const lakeOf = (wide: boolean, codeVersion?: string) =>
  defineLakehouse({
    assets: [
      asset('silver/days', {
        partitions,
        packs: ['partition', 'month'],
        ...(codeVersion !== undefined && { codeVersion }),
        columns: columns({ n: integer(), ...(wide && { more: text() }) }),
        sortBy: ['n'],
        query: () => (wide ? sql`SELECT 1::INTEGER AS n, 'x' AS more` : sql`SELECT 1::INTEGER AS n`),
      }),
    ],
  });

async function opened(directory: string, ...of: Parameters<typeof lakeOf>): Promise<OpenedLake> {
  const lake = await openTestLake(lakeOf(...of), directory, { now: () => NOW, sets: ['engine.threads=2'] });
  atEnd(() => lake.close());
  return lake;
}

async function ask(lake: OpenedLake, question: LakeQuestion): Promise<{ rows: unknown[]; scans: readonly Scan[] }> {
  return askLake(lake, question, never, async (result, scans) => {
    const rows: unknown[] = [];
    for await (const batch of result.batches) rows.push(...batch);
    return { rows, scans };
  });
}

const alike = async (lake: OpenedLake) => {
  await using files = openFiles(lake);
  const [view] = (await lakeViews(lake, files)) as Extract<LakeView, { files: unknown }>[];
  return { files: view?.files.length, alike: view?.alike };
};

test('a query opens the files that the log says can hold its rows, and counts them', async () => {
  const lake = await opened(await temporaryDirectory(), false);
  await run(lake);
  const files = [...lake.state.files()].length;
  expect(files).toBe(3 * 10);
  for (const [where, rows, opened] of [
    ["symbol = 'A' AND date = '2020-04-03'", 1, 1],
    ["symbol = 'A' AND date <= '2020-04-01'", 3, 2],
    ["date = '2020-03-31'", 3, 3],
    ['n > 0', 33, 30],
    ["symbol = 'D'", 0, 0],
  ] as const) {
    const found = await ask(lake, { sql: `SELECT * FROM silver.days WHERE ${where}` });
    expect([where, found.rows.length, found.scans]).toEqual([
      where,
      rows,
      [{ asset: 'silver/days', lake: 30, files: opened, bytes: expect.any(Number) }],
    ]);
  }
  // Nothing is read of a table that is only described.
  expect((await ask(lake, { sql: 'DESCRIBE silver.days' })).scans).toEqual([]);
  expect((await ask(lake, { sql: 'SELECT 1 WHERE (SELECT count(*) FROM silver.days) = 33' })).rows).toEqual([[1]]);
});

test('one file tells the columns of all of one code, and each is asked where there was another, or none is known', async () => {
  const directory = await temporaryDirectory();
  const lake = await opened(directory, false);
  await run(lake);
  expect(await alike(lake)).toEqual({ files: 30, alike: true });
  const wide = await opened(directory, true);
  await run(wide, { filter: parseFilter('symbol=B,date=2020-04') });
  expect(await alike(wide)).toEqual({ files: 30, alike: false });
  const counted = 'SELECT symbol, count(*), count(more) FROM silver.days GROUP BY 1 ORDER BY 1';
  expect((await ask(wide, { sql: counted })).rows).toEqual([
    ['A', 11n, 0n],
    ['B', 11n, 9n],
    ['C', 11n, 0n],
  ]);
  // Of those that are needed here, all are new.
  expect(
    (await ask(wide, { sql: "SELECT DISTINCT more FROM silver.days WHERE symbol = 'B' AND date > '2020-04-01'" })).rows,
  ).toEqual([['x']]);
  await run(wide);
  expect(await alike(wide)).toEqual({ files: 30, alike: true });
  const declared = await opened(directory, true, '1');
  await run(declared);
  expect(await alike(declared)).toEqual({ files: 30, alike: false });
});

test('a query that asks for what the clock says is asked again when that is something else by then', async () => {
  const lake = await opened(await temporaryDirectory(), false);
  await run(lake);
  const engine = await lake.engine();
  // A day begins between finding out what is needed and the first statement that runs.
  let asked = 0;
  const midnight: Engine = {
    ...engine,
    needs: async (text, ...rest) => {
      const day = asked++ === 0 ? '2020-04-02' : '2020-04-03';
      const needs = await engine.needs(text.replace('current_date', `DATE '${day}'`), ...rest);
      return { ...needs, unchanged: async () => asked > 1 };
    },
    query: (text, ...rest) => engine.query(text.replace('current_date', "DATE '2020-04-03'"), ...rest),
  };
  const sql = "SELECT CAST(date AS VARCHAR) FROM silver.days WHERE date = current_date AND symbol = 'A'";
  expect(await ask({ ...lake, engine: async () => midnight }, { sql })).toMatchObject({ rows: [['2020-04-03']] });
  expect(asked).toBe(2);
  // And is not, as long as it is the same day.
  await using needs = await engine.needs('FROM silver.days WHERE date < now()', [...lake.definition.assets], never);
  expect(await needs.unchanged()).toBe(true);
});

test('a statement that compares text with the time to the microsecond is answered, of all that it may name', async () => {
  const lake = await opened(await temporaryDirectory(), false);
  await run(lake);
  const { rows, scans } = await ask(lake, {
    sql: "SELECT count(*) FROM silver.days WHERE symbol > now()::VARCHAR AND symbol < 'B'",
  });
  expect([rows, scans.map(({ files }) => files)]).toEqual([[[11n]], [30]]);
});

test('what is run by a function is read as well, though it is in no plan', async () => {
  const lake = await opened(await temporaryDirectory(), false);
  await run(lake);
  const sql = "FROM json_execute_serialized_sql(json_serialize_sql('SELECT count(*) FROM silver.days'))";
  expect((await ask(lake, { sql })).rows).toEqual([[33n]]);
});
