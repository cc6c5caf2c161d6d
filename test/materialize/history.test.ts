import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { type Asset, sql, view } from 'crypto-lakehouse';
import { describe, expect, test } from 'vitest';
import { removeSuperseded } from '../../framework/materialize/commit.ts';
import { type AsOf, parseAsOf } from '../../framework/materialize/history.ts';
import { type LakeFiles, openFiles } from '../../framework/materialize/lake-files.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { wipePartitions } from '../../framework/materialize/recorded.ts';
import { lakeViews } from '../../framework/materialize/views.ts';
import { parseFilter } from '../../framework/partition/filter.ts';
import * as sets from '../../framework/partition/set.ts';
import { indexAt } from '../../framework/partition/time.ts';
import { queryAnew } from '../../framework/report/query.ts';
import { downgrade } from '../state/support.ts';
import { tinyLake } from './fixture.ts';
import { run } from './lake.ts';
import { NOW, problems, type Tiny, tiny, tree } from './support.ts';

const DAY_MS = 86_400_000;

const never = new AbortController().signal;

const TABLES = ['bronze.days', 'silver.ticks', 'gold.window', 'gold.chain', 'gold.overview'];

/** All rows of these tables; of originals, which files they are. */
async function rowsOf(lake: OpenedLake, tables: readonly string[], asOf?: AsOf): Promise<unknown[]> {
  // A later definition has a column more.
  const part = (table: string) =>
    `SELECT '${table}' AS name, CAST(t AS VARCHAR) AS line FROM (SELECT ${table === 'gold.window' ? 'symbol, date, open_time, sum5, rank' : '*'} FROM ${table}) t`;
  const sql = `${tables.map(part).join(' UNION ALL ')} ORDER BY ALL`;
  await using files = openFiles(lake);
  const views = await lakeViews(lake, files, ({ key }) => tables.includes(key.replace('/', '.')), asOf);
  const result = await (await lake.engine()).query(sql, views, new AbortController().signal);
  const rows: unknown[] = [];
  for await (const batch of result.batches) rows.push(...batch);
  return rows;
}

const everything = (lake: OpenedLake, asOf?: AsOf) => rowsOf(lake, TABLES, asOf);

/** A lake with a clock that stands still unless it is told. */
async function clocked(
  history: '30d' | undefined,
): Promise<Tiny & { later(ms: number): void; readonly now: () => number }> {
  let at = NOW;
  const now = () => at;
  const made = await tiny({ ...(history && { history }), now });
  const later = (ms: number) => {
    at += ms;
  };
  return { ...made, now, later };
}

const dead = (symbol: string, first: string, end: string) => {
  const [lo, hi] = [first, end].map((date) => indexAt('day', Date.parse(date))) as [number, number];
  return [{ series: `symbol=${symbol}`, values: { symbol }, ranges: [lo, hi] }];
};

test('a query as of a run shows every asset as it was then, whatever has happened since', async () => {
  const { lake, archive, open, later, now } = await clocked('30d');
  const then: { readonly asOf: string; readonly rows: unknown[] }[] = [];
  let current = lake;
  const step = async (request: Parameters<typeof run>[1] = {}, next: OpenedLake = current) => {
    current = next;
    const { run: id, outcome } = await run(current, request);
    expect(outcome).toBe('succeeded');
    then.push({ asOf: id, rows: await everything(current) });
    later(60_000);
  };
  archive.days('A', '2020-02', 1, 5).days('B', '2020-03', 1, 3).days('A', '2020-04', 1, 4);
  await step();
  // New content, and nothing new.
  archive.days('A', '2020-02', 2, 3, 4);
  await step();
  await step();
  // Recomputed, with what it was.
  await step({ force: true, selection: 'gold/chain' });
  // Content goes with its partitions, and comes back.
  archive.remove('A', '2020-02-05');
  await step();
  archive.days('A', '2020-02', 5, 5, 2);
  await step();
  // Another alternative serves.
  archive.put('B', '2020-03', '2020-03-01 00:00:00,9.25,0.5\n', 'months');
  await step();
  // Files that nothing can be carried out of: two of one pack, each with a part.
  const wide = await open({ wide: true, codes: { 'gold/window': '2' }, now, history: '30d' });
  await step({ selection: 'gold/window', filter: parseFilter('date=2020-02-02..2020-02-03') }, wide);
  // A process that died between an event and the rewriting of packs.
  wide.state.append({
    kind: 'departed',
    asset: 'silver/ticks',
    run: 'died',
    reason: 'wiped',
    set: dead('A', '2020-04-02', '2020-04-03'),
  });
  then.push({ asOf: `@${wide.state.index().head}`, rows: await everything(wide) });
  await step();
  // A month is over, and its days move into one file.
  later(25 * DAY_MS);
  archive.days('A', '2020-04', 5, 5);
  await step();
  // Excluded by the settings, and wanted again.
  await step(
    {},
    await open({ wide: true, codes: { 'gold/window': '2' }, now, history: '30d', sets: ['tiny.symbols=["A"]'] }),
  );
  await step({}, await open({ wide: true, codes: { 'gold/window': '2' }, now, history: '30d' }));

  for (const { asOf, rows } of then)
    expect(await everything(current, parseAsOf(current.state, asOf, now())), asOf).toEqual(rows);
  expect(new Set(then.map(({ rows }) => JSON.stringify(rows))).size).toBeGreaterThan(7);
  expect(await problems(current)).toEqual([]);

  // The same by time, also in the middle of a run, and of another reader.
  const reader = await open({ now, history: '30d', wide: true });
  for (const { asOf, rows } of then.slice(0, 5)) {
    const at = lake.state.run(asOf)?.record.finishedAt as number;
    expect(
      await everything(reader, parseAsOf(reader.state, new Date(at + randomInt(59_999)).toISOString(), now())),
    ).toEqual(rows);
  }
});

describe('how long replaced files stay', () => {
  async function replaced(history: '30d' | undefined) {
    const made = await clocked(history);
    const { lake, archive, later } = made;
    archive.days('A', '2020-02', 1, 2);
    const first = (await run(lake)).run;
    const before = await rowsOf(lake, ['silver.ticks']);
    later(DAY_MS);
    archive.days('A', '2020-02', 2, 2, 3);
    await run(lake);
    const asOf = () => parseAsOf(lake.state, first, made.now());
    return { ...made, before, asOf };
  }
  const count = (lake: OpenedLake) => tree(lake.store.root).filter((path) => path.startsWith('silver/ticks')).length;

  test('of an asset with a history: that long, and then they go with the end of a run', async () => {
    const { lake, open, later, before, asOf } = await replaced('30d');
    expect(count(lake)).toBe(2);
    later(30 * DAY_MS - 1);
    await run(lake);
    expect(await rowsOf(lake, ['silver.ticks'], asOf())).toEqual(before);
    const ticks = lake.graph.node('silver/ticks').definition as unknown as Asset;
    const amount = view('silver/count', {
      inputs: { ticks },
      query: (of) => sql`SELECT count(*) AS n FROM ${of.ticks}`,
    });
    const viewed = await open({ definition: { ...tinyLake({ history: '30d' }), views: [amount] } });
    expect(await rowsOf(viewed, ['silver.count'], asOf())).toEqual([['silver.count', `{'n': ${before.length}}`]]);
    expect(await rowsOf(viewed, ['silver.count'])).not.toEqual([['silver.count', `{'n': ${before.length}}`]]);
    later(1);
    await run(lake);
    expect(count(lake)).toBe(1);
    await expect(rowsOf(lake, ['silver.ticks'], asOf())).rejects.toMatchObject({
      code: 'history-gone',
      kind: 'usage',
      message: expect.stringMatching(
        /^The files of silver\/ticks as of run \w+ are gone: its history goes back to @\d+, 2020-04-11T12:00:00.000Z$/,
      ),
      hint: 'It keeps them for as long as its `history` says. To keep more from now on, make that longer.',
    });
    // What it does not read is not asked for.
    expect(await rowsOf(lake, ['gold.monthly'], parseAsOf(lake.state, 'last', NOW + 90 * DAY_MS))).toHaveLength(1);
    expect(await problems(lake)).toEqual([]);
  });

  test('without one: not at all, and the past is refused', async () => {
    const { lake, asOf } = await replaced(undefined);
    expect(count(lake)).toBe(1);
    await expect(rowsOf(lake, ['silver.ticks'], asOf())).rejects.toMatchObject({
      code: 'history-gone',
      hint: "To keep replaced files from now on, declare it with e.g. history: '30d'.",
    });
  });

  test('a query that comes too late for them is refused, not answered without them', async () => {
    const { lake, asOf } = await replaced('30d');
    const views = async (files: LakeFiles) => {
      const found = await lakeViews(lake, files, ({ key }) => key === 'silver/ticks', asOf());
      await removeSuperseded(lake, NOW + 90 * DAY_MS);
      return found;
    };
    const answer = queryAnew(lake, views, 'FROM silver.ticks', never, async () => 'answered');
    await expect(answer).rejects.toMatchObject({ code: 'history-gone' });
  });

  test('goes with it what was wiped longer ago than events are kept', async () => {
    const { lake, later, now } = await replaced('30d');
    await wipePartitions(lake, 'silver/ticks', sets.fromSeries([['symbol=A', { bounds: [0, 99_999] }]]), 'w', never);
    later(31 * DAY_MS);
    for (let i = 0; i < 2; i++) {
      lake.state.append({ kind: 'run-started', run: `r${i}`, command: 'c', selection: '*' });
      lake.state.checkpoint();
    }
    expect(lake.state.prune({ keepEventsAfterMs: now() }).events).toBeGreaterThan(0);
    expect(count(lake)).toBe(2);
    await removeSuperseded(lake, now());
    expect(count(lake)).toBe(0);
  });

  test('definitions that do not have the asset do not cost it its history', async () => {
    const { lake, open, later, before, asOf } = await replaced('30d');
    const definition = tinyLake();
    const other = await open({
      definition: { ...definition, assets: definition.assets.filter(({ key }) => key === 'gold/monthly') },
    });
    const without = await open({ definition: { ...definition, assets: [], filters: () => ({}) } });
    for (const one of [other, without])
      expect([one.keepMs('gold/chain'), one.keepMs('gold/new')]).toEqual([30 * DAY_MS, 0]);
    expect(await removeSuperseded(without, NOW + 2 * DAY_MS)).toBe(0);
    expect(await rowsOf(lake, ['silver.ticks'], asOf())).toEqual(before);
    // But those that have it, and do not say that it keeps any.
    later(1);
    await run(await open({ definition: tinyLake() }));
    expect(count(lake)).toBe(1);
  });
});

test('a lake of an older program: what was is refused, and what comes is told, of files that do not say what they were written with', async () => {
  const { lake, archive, directory, open } = await tiny();
  archive.days('A', '2020-02', 1, 9);
  await run(lake);
  const wide = { wide: true, codes: { 'gold/window': '2' }, history: '30d' } as const;
  await run(await open(wide), {
    selection: 'gold/window',
    filter: parseFilter('date=2020-02-02..2020-02-03'),
  });
  const old = lake.state.refresh().head;
  await lake.close();
  downgrade(join(directory, '.lakehouse/state.sqlite'), 2);
  const next = await open(wide);
  const { head } = next.state.index();
  expect(head).toBe(old);
  const then = [{ asOf: `@${head}`, rows: await everything(next) }];
  for (const days of ['2020-02-05', '2020-02-01..2020-02-09']) {
    await run(next, { selection: 'gold/window', filter: parseFilter(`date=${days}`), force: true });
    then.push({ asOf: `@${next.state.index().head}`, rows: await everything(next) });
  }
  for (const { asOf, rows } of then)
    expect(await everything(next, parseAsOf(next.state, asOf, NOW)), asOf).toEqual(rows);
  await expect(everything(next, { revision: head - 1, asked: 'then' })).rejects.toMatchObject({ code: 'history-gone' });
  expect(await problems(next)).toEqual([]);
});

test('what --as-of can be', async () => {
  const { lake, archive, later, now } = await clocked('30d');
  archive.days('A', '2020-02', 1, 1);
  const { run: id } = await run(lake);
  later(3_600_000);
  const { head } = lake.state.refresh();
  const read = (text: string) => {
    try {
      return parseAsOf(lake.state, text, now()).revision;
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(
    Object.fromEntries(
      ['@1', `@${head}`, 'last', '2020-04-10T12:00', '2020-04-10 14:00:00+02:00', '2020-04-10'].map((text) => [
        text,
        read(text),
      ]),
    ),
  ).toEqual({
    '@1': 1,
    [`@${head}`]: head,
    last: head,
    '2020-04-10T12:00': head,
    '2020-04-10 14:00:00+02:00': head,
    '2020-04-10': 0,
  });
  expect([read(id), read(id.slice(0, -1))]).toEqual([head, head]);
  expect([`@${head + 1}`, '@x', 'tuesday', '2020-04-11', '2020-13-01', '2020-02-30T06:00'].map(read)).toEqual([
    `As of @${head + 1}: the revisions of the log are @1 to @${head}`,
    `As of @x: the revisions of the log are @1 to @${head}`,
    'As of tuesday: there is no such run, and it is no time',
    'As of 2020-04-11: that is yet to come',
    'As of 2020-13-01: there is no such run, and it is no time',
    'As of 2020-02-30T06:00: there is no such run, and it is no time',
  ]);
  lake.state.append({ kind: 'run-started', run: 'zzz', command: 'c', selection: '*' });
  expect(read('zz')).toBe('As of zz: the run zzz has not finished, or died');
});
