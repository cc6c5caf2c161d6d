import { join } from 'node:path';
import { inspect } from 'node:util';
import { asset, columns, defineLakehouse, isLakehouseError, LakehouseError, source, text } from 'crypto-lakehouse';
import { fixedClock, temporaryLake } from 'crypto-lakehouse/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { redactor } from '../../framework/sdk/redact.ts';
import { openState } from '../../framework/state/sqlite.ts';
import { fewDays, NOON, smallLake } from './lake.ts';

// What programs without types, listeners that throw, and secrets in what goes wrong do to a lake.

const codeOf = async (work: () => unknown): Promise<unknown> => {
  try {
    return await work();
  } catch (error) {
    return isLakehouseError(error) ? error.code : error instanceof Error ? error.name : error;
  }
};

describe('what came from outside', () => {
  test('never becomes text of a statement, whatever JSON holds', async () => {
    const { definition } = smallLake(fewDays());
    await using lake = await temporaryLake({ definition, now: NOON });
    const inside = "0'::DOUBLE AS a, 'stolen' AS b --";
    for (const value of [
      [[inside]],
      [{ toString: () => inside }],
      { toString: () => inside },
      Buffer.from(inside),
      '\ud800',
    ])
      for (const ask of [
        () => lake.sql`SELECT ${value as never} AS a`.rows(),
        () => lake.query('SELECT $a AS a', { a: value as never }).rows(),
      ])
        expect([inspect(value), await codeOf(ask)]).toEqual([inspect(value), 'TypeError']);
    expect(
      await lake.sql`SELECT ${NaN} AS a, ${-Infinity} AS b, ${-0} AS c, ${2n ** 64n} AS d, ${'a\0\\"\''} AS e, ${[null, 'x']} AS f`.rows(),
    ).toEqual([{ a: NaN, b: -Infinity, c: -0, d: 2n ** 64n, e: 'a\0\\"\'', f: [null, 'x'] }]);
  });

  test('does not choose all partitions by mistake', async () => {
    const { definition, ticks } = smallLake(fewDays());
    await using lake = await temporaryLake({ definition, now: NOON });
    for (const given of [
      'symbol=AAA',
      null,
      { symbol: 5 },
      { symbol: null },
      { symbol: [undefined] },
      { date: new Date() },
      { date: { form: '2024' } },
      { date: { from: 2024 } },
    ])
      expect([given, await codeOf(() => lake.read(ticks, given as never).count())]).toEqual([given, 'bad-filter']);
    for (const none of ['silver/ticks', undefined, {}])
      expect(await codeOf(() => lake.read(none as never))).toBe('TypeError');
    expect(await codeOf(() => lake.read(ticks, {}, { columns: 'price' as never }))).toBe('TypeError');
  });
});

test('a read stands for itself in a statement: of this lake, and of values that there are', async () => {
  const { definition, ticks } = smallLake(fewDays());
  await using lake = await temporaryLake({ definition, now: NOON });
  await using other = await temporaryLake({ definition, now: NOON });
  await lake.materialize('+silver/ticks');
  expect(await codeOf(() => lake.sql`FROM ${other.read(ticks)}`)).toBe('other-lake');
  const misspelt = lake.sql`SELECT count(*) AS n FROM ${lake.read(ticks, { symbol: 'AAB' })}`;
  expect(await codeOf(() => misspelt.rows())).toBe('no-such-partition');
  // As people end a statement; and no Date is it.
  const query = lake.query("SELECT TIMESTAMP 'infinity' AS at FROM range(3); -- so many\n;");
  expect(await query.count()).toBe(3);
  expect(await lake.query("SELECT TIMESTAMP 'infinity' AS at;").rows()).toEqual([{ at: 'infinity' }]);
});

test('everything that reads tables reads them as they were', async () => {
  const days = fewDays();
  const { feed, zips, ticks: unkept } = smallLake(days);
  const ticks = { ...unkept, historyMs: 3_600_000 };
  await using lake = await temporaryLake({ assets: [feed, zips, ticks], now: NOON });
  const { run } = await lake.materialize('+silver/ticks');
  days.set('um AAA 2024-01-30', [1, 2, 3]);
  await lake.materialize('+silver/ticks');
  const read = lake.read(ticks, { market: 'um', date: '2024-01-30' }, { columns: ['price'] });
  const sql = lake.sql`SELECT price FROM ${read}`;
  for (const query of [read, sql]) {
    expect([await query.count(), await query.count({ asOf: run })]).toEqual([3, 1]);
    expect([(await query.rows()).length, await query.rows({ asOf: run })]).toEqual([3, [{ price: '30.00' }]]);
    for await (const batch of query.batches({ asOf: run })) expect(batch).toEqual([{ price: '30.00' }]);
    expect((await query.arrow({ asOf: run })).numRows).toBe(1);
  }
  expect(await codeOf(() => lake.read(zips).rows({ asOf: run }))).toBe('not-a-table');
});

test('a listener that throws ends the run in order, and what it threw is told', async () => {
  const { definition } = smallLake(fewDays());
  await using lake = await temporaryLake({ definition, now: NOON });
  const mine = new Error('mine');
  for (const type of ['run-started', 'planned', 'run-finished']) {
    const onEvent = (event: { readonly type: string }) => {
      if (event.type === type) throw mine;
    };
    await expect(lake.materialize('+silver/ticks', { onEvent, force: true })).rejects.toBe(mine);
  }
  await expect(
    lake.observe('*', {
      onEvent: () => {
        throw mine;
      },
    }),
  ).rejects.toBe(mine);
  const ended: string[] = [];
  const started: string[] = [];
  const { revision } = await lake.status();
  for await (const event of lake.subscribe({ after: 0 })) {
    if (event.type === 'run-started') started.push(event.run);
    if (event.type === 'run-finished') ended.push(event.run);
    if (event.revision >= revision) break;
  }
  expect(ended).toEqual(started);
});

describe('a subscription', () => {
  test('from what is no revision is refused', async () => {
    const { definition } = smallLake(fewDays());
    await using lake = await temporaryLake({ definition, now: NOON });
    for (const after of [Number.NaN, -1, 0.5, 1])
      expect(await codeOf(() => lake.subscribe({ after }))).toBe('bad-revision');
    for (const everyMs of [Number.NaN, 0, -1, Infinity])
      expect(await codeOf(() => lake.subscribe({ everyMs }))).toBe('bad-interval');
  });

  test('says so when events were forgotten before they were told', async () => {
    const { definition } = smallLake(fewDays());
    await using lake = await temporaryLake({ definition, now: NOON, settings: { 'state.checkpointEvery': 1 } });
    for (let i = 0; i < 3; i++) await lake.materialize('+silver/ticks', { force: true });
    const first = lake.subscribe({ after: 1 })[Symbol.asyncIterator]();
    const state = openState(join(lake.directory, '.lakehouse', 'state.sqlite'), {
      readOnly: false,
      now: () => Date.parse(NOON),
      isAlive: () => true,
      writer: 'test',
    });
    state.prune({ keepEventsAfterMs: Date.parse(NOON) + 1 });
    state.close();
    expect(await codeOf(() => first.next())).toBe('events-forgotten');
    for await (const { revision } of lake.subscribe({ after: 0 })) {
      expect(revision).toBeGreaterThan(1);
      break;
    }
  });
});

describe('secrets of the settings', () => {
  const secret = 'hunter2/hunter2';
  const told = (value: unknown) => {
    expect(inspect(value, { depth: 20 })).toContain('***');
    expect(inspect(value, { depth: 20 })).not.toContain('hunter2');
  };

  test('are in nothing that is thrown or told', async () => {
    const feed = source('feed/x', {
      partitions: {},
      observe: async function* () {
        yield { partition: {}, version: '1' };
      },
      read: async () => ({ bytes: new Uint8Array(), version: '1' }),
    });
    const bad = asset('gold/bad', {
      partitions: {},
      inputs: { feed },
      columns: columns({ x: text() }),
      sortBy: ['x'],
      config: 'x',
      compute: () => {
        throw new LakehouseError('refused', `403 of https://x/?key=${encodeURIComponent(secret)}`, {
          kind: 'data',
          hint: `is ${secret} right?`,
          cause: new Error(secret),
        });
      },
    });
    const definition = defineLakehouse({
      assets: [feed, bad],
      settings: { vendor: z.object({ key: z.string().meta({ secret: true }) }) },
    });
    await using lake = await temporaryLake({ definition, now: NOON, settings: { 'vendor.key': secret } });
    const events: unknown[] = [];
    const { failures } = await lake.materialize('*', { onEvent: (event) => events.push(event) });
    told(failures);
    told(events);
    told(await lake.explain(bad, ''));
    for await (const event of lake.subscribe({ after: 0 })) {
      if (event.type === 'failed') told(event);
      if (event.type === 'run-finished') break;
    }
    const reason = new Error(`${secret} is enough`);
    await expect(lake.materialize('*', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    told(reason);
  });

  test('are taken out of errors in place, and of data in a copy that keeps what is no text', () => {
    const redact = redactor(() => ['s3cret']);
    const error = new AggregateError([new Error('a s3cret')], 'b s3cret', { cause: { url: 's3cret' } });
    expect(redact(error)).toBe(error);
    expect(inspect(error)).not.toContain('s3cret');
    const at = new Date(0);
    const loop: Record<string, unknown> = { at, n: 1n, list: ['s3cret', 'x'] };
    loop.self = loop;
    expect(redact({ loop }).loop).toMatchObject({ at, n: 1n, list: ['***', 'x'] });
    const clean = { a: [{ b: at }] };
    expect(redact(clean)).toBe(clean);
  });
});

test('a temporary lake is of assets or of a definition, and its clock does not leave time', async () => {
  const { definition } = smallLake(new Map());
  expect(await codeOf(() => temporaryLake({ now: NOON }))).toBe('assets-or-definition');
  expect(await codeOf(() => temporaryLake({ now: NOON, definition, assets: [] }))).toBe('assets-or-definition');
  expect(await codeOf(() => fixedClock(NOON).advance({ days: Number.NaN }))).toBe('bad-instant');
});
