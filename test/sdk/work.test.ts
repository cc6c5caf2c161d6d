import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isLakehouseError, type LakeEvent, openLakehouse, type RunEvent } from 'crypto-lakehouse';
import { temporaryLake } from 'crypto-lakehouse/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fewDays, NOON, smallLake } from './lake.ts';

const failure = async (work: () => unknown): Promise<unknown> => {
  try {
    await work();
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    return { code: error.code, message: error.message };
  }
  throw new Error('nothing was thrown');
};

const place = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'lakehouse-sdk-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

describe('status, plans and runs', () => {
  test('a lake goes from nothing to fresh, and everything says so', async () => {
    const days = fewDays();
    const { definition, ticks, bars, months } = smallLake(days);
    await using lake = await temporaryLake({ definition, now: NOON });
    const before = await lake.status(ticks);
    expect(before).toMatchObject({ revision: 0, neverObserved: ['feed/days'] });
    expect(await lake.read(ticks).rows()).toEqual([]);
    expect((await lake.observe()).map(({ asset, seen }) => ({ asset, seen }))).toEqual([
      { asset: 'feed/days', seen: 9 },
    ]);
    expect(await lake.plan('+silver/ticks')).toMatchObject({
      will: 18,
      materialize: [
        { asset: 'bronze/ticks', will: 9, causes: { missing: 9 } },
        { asset: 'silver/ticks', will: 9 },
      ],
    });

    const events: RunEvent['type'][] = [];
    const partitions = { market: 'spot', date: '2024-01-31..' };
    const some = await lake.materialize([bars, ticks], { onEvent: ({ type }) => events.push(type), partitions });
    expect(some).toMatchObject({ outcome: 'succeeded', counts: { computed: 0 } });
    // The last two days of February are awaited of both series.
    expect(some.held).toEqual([
      { asset: 'silver/ticks', reason: 'awaiting', partitions: 4 },
      { asset: 'silver/ticks', reason: 'unmet', partitions: 4 },
      { asset: 'gold/bars', reason: 'awaiting', partitions: 4 },
      { asset: 'gold/bars', reason: 'unmet', partitions: 4 },
    ]);
    expect(events).toContain('run-finished');
    expect((await lake.materialize('+gold/bars', { partitions })).counts).toMatchObject({ computed: 12, rows: 10 });
    const all = await lake.materialize(undefined, { tags: { why: 'test' } });
    expect(all).toMatchObject({ outcome: 'succeeded', failures: [], checks: [] });

    const { assets, revision } = await lake.status([bars, months]);
    expect(revision).toBeGreaterThan(0);
    expect(assets).toEqual([
      {
        asset: 'gold/bars',
        kind: 'table',
        known: true,
        counts: expect.objectContaining({ fresh: 9, stale: 0 }) as unknown,
        lastComputed: new Date(NOON),
        lastRun: all.run,
      },
      expect.objectContaining({ asset: 'gold/months', counts: expect.objectContaining({ fresh: 3 }) as unknown }),
    ]);
    expect((await lake.plan()).materialize).toEqual([]);
    expect(await lake.explain(bars, { market: 'um', symbol: 'AAA', date: '2024-01-30' })).toMatchObject({
      asset: 'gold/bars',
      partition: 'market=um/symbol=AAA/date=2024-01-30',
      status: 'fresh',
      meaning: 'up to date',
      facts: { last: { rows: 1 } },
    });
  });

  test('partitions that fail are in the result, and a failed check too', async () => {
    const days = fewDays();
    days.set('um AAA 2024-01-31', [666]);
    days.set('spot A_B 2024-01-30', [-1]);
    const { definition, bars } = smallLake(days);
    await using lake = await temporaryLake({ definition, now: NOON });
    const { outcome, failures, checks } = await lake.materialize();
    expect(outcome).toBe('failed');
    expect(failures.map(({ asset, partition, error: { code } }) => ({ asset, partition, code }))).toEqual([
      { asset: 'gold/bars', partition: 'market=um/symbol=AAA/date=2024-01-31', code: 'unlucky' },
    ]);
    expect(checks).toEqual([
      {
        asset: 'silver/ticks',
        partition: 'market=spot/symbol=A_B/date=2024-01-30',
        check: 'range_price',
        severity: 'error',
        failedRows: 1,
      },
    ]);
    expect(await lake.explain(bars, 'market=um/symbol=AAA/date=2024-01-31')).toMatchObject({
      status: 'failed',
      error: { code: 'unlucky' },
    });
  });

  test('what is wrong is refused before anything is done', async () => {
    const { definition } = smallLake(fewDays());
    await using lake = await temporaryLake({ definition, now: NOON });
    expect(await failure(() => lake.materialize('silver/tick'))).toMatchObject({ code: 'nothing-selected' });
    expect(await failure(() => lake.materialize([]))).toMatchObject({ code: 'nothing-selected' });
    expect(await failure(() => lake.plan('silver/ticks', { partitions: { sybmol: 'A' } }))).toMatchObject({
      code: 'bad-filter',
    });
    expect(await failure(() => lake.status('silver/ticks', { partitions: 'symbol=' }))).toMatchObject({
      code: 'bad-partition-filter',
    });
    expect(await failure(() => lake.observe('silver/ticks'))).toMatchObject({ code: 'no-sources' });
    expect((await lake.status()).revision).toBe(0);
  });

  test('an aborted run says why, and what was asked to stop ends as cancelled', async () => {
    const { definition } = smallLake(fewDays());
    await using lake = await temporaryLake({ definition, now: NOON });
    const reason = new Error('enough');
    await expect(lake.materialize('*', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await lake.materialize('*', { stopping: AbortSignal.abort(reason) })).toMatchObject({
      outcome: 'cancelled',
    });
  });
});

describe('opening', () => {
  test('finds settings and definitions as the command line does', async () => {
    const cwd = place();
    await mkdir(join(cwd, 'assets'));
    await writeFile(join(cwd, 'lakehouse.yaml'), 'dataDir: ./there\nprofiles:\n  other:\n    dataDir: ./elsewhere\n');
    const lakeModule = join(import.meta.dirname, 'lake.ts');
    await writeFile(
      join(cwd, 'assets/index.ts'),
      `import { fewDays, smallLake } from ${JSON.stringify(lakeModule)};\nexport const lakehouse = smallLake(fewDays()).definition;\n`,
    );
    await using lake = await openLakehouse({ cwd, env: {} });
    expect(lake.directory).toBe(join(cwd, 'there'));
    expect(lake.definition.assets.map(({ key }) => key)).toContain('gold/months');
    await using other = await openLakehouse({ cwd, env: {}, profile: 'other', set: ['engine.threads=1'] });
    expect(other.directory).toBe(join(cwd, 'elsewhere'));
    expect(await failure(() => openLakehouse({ cwd, env: {}, set: { 'engine.thraeds': 1 } }))).toMatchObject({
      code: 'invalid-settings',
    });
    expect(await failure(() => openLakehouse({ cwd: join(cwd, 'assets'), env: {} }))).toMatchObject({
      code: 'no-definitions',
    });
  });

  test('to read only, nothing is written; closed, nothing is answered', async () => {
    const cwd = place();
    const { definition, ticks } = smallLake(fewDays());
    const lake = await openLakehouse({ cwd, env: {}, definition, mode: 'read' });
    expect(await failure(() => lake.materialize())).toMatchObject({ code: 'read-only' });
    expect(await failure(() => lake.observe())).toMatchObject({ code: 'read-only' });
    expect(await lake.read(ticks).count()).toBe(0);
    await Promise.all([lake.close(), lake.close()]);
    for (const work of [() => lake.read(ticks).rows(), () => lake.status(), () => lake.subscribe(), () => lake.plan()])
      expect(await failure(work)).toMatchObject({ code: 'lake-closed' });
  });
});

test('a lake that is closed while somebody reads does not wait for them', async () => {
  const { definition, ticks, zips } = smallLake(fewDays());
  const lake = await temporaryLake({ definition, now: NOON });
  await lake.materialize('+silver/ticks');
  const numbers = lake.query('SELECT range AS i FROM range(100000)').batches()[Symbol.asyncIterator]();
  const originals = lake.read(zips).originals()[Symbol.asyncIterator]();
  const rows = lake.read(ticks).batches()[Symbol.asyncIterator]();
  for (const reader of [numbers, originals, rows]) expect(await reader.next()).toMatchObject({ done: false });
  await lake.close();
  for (const reader of [numbers, originals]) await expect(reader.next()).rejects.toMatchObject({ code: 'lake-closed' });
});

describe('subscribe', () => {
  const upTo = async (events: AsyncIterable<LakeEvent>, last: LakeEvent['type']): Promise<LakeEvent[]> => {
    const found: LakeEvent[] = [];
    for await (const event of events) {
      found.push(event);
      if (event.type === last) break;
    }
    return found;
  };

  test('tells what the log says from now on, or from a revision', async () => {
    const days = fewDays();
    const { definition, bars } = smallLake(days);
    await using lake = await temporaryLake({ definition, now: NOON });
    const fromNow = upTo(lake.subscribe({ everyMs: 1 }), 'run-finished');
    days.set('spot AAA 2024-02-01', [666]);
    const { run } = await lake.materialize();
    const events = await fromNow;
    expect(events.map(({ run, at }) => ({ run, at }))).toEqual(events.map(() => ({ run, at: new Date(NOON) })));
    expect(events[0]).toMatchObject({
      type: 'run-started',
      revision: 1,
      selection: '*',
      command: 'lake.materialize("*")',
    });
    expect(events).toContainEqual({
      type: 'observed',
      asset: 'feed/days',
      revision: expect.any(Number) as number,
      at: new Date(NOON),
      run,
      partitions:
        'market=spot/symbol=AAA|A_B/date=2024-01-30..2024-02-01\nmarket=um/symbol=AAA/date=2024-01-30..2024-02-01',
      count: 9,
      withdrawn: 0,
    });
    const ofTicks = events.filter((event) => event.type === 'materialized' && event.asset === 'silver/ticks');
    expect(ofTicks).toMatchObject([{ count: 9, changed: 9, rows: 11 }]);
    expect(events.find(({ type }) => type === 'failed')).toMatchObject({
      asset: 'gold/bars',
      count: 1,
      failures: [{ partition: 'market=spot/symbol=AAA/date=2024-02-01', error: { code: 'unlucky' } }],
    });
    expect(events.at(-1)).toMatchObject({ type: 'run-finished', outcome: 'failed', counts: { failed: 1 } });
    // Everything again, and of one asset.
    expect(await upTo(lake.subscribe({ after: 0 }), 'run-finished')).toEqual(events);
    const own = await upTo(lake.subscribe({ after: 0, assets: bars }), 'run-finished');
    expect(own).toEqual(events.filter((event) => !('asset' in event) || event.asset === 'gold/bars'));
  });

  test('ends when it is aborted, and when the lake is closed', async () => {
    const { definition } = smallLake(fewDays());
    const lake = await temporaryLake({ definition, now: NOON });
    const aborting = new AbortController();
    const aborted = upTo(lake.subscribe({ signal: aborting.signal }), 'run-finished');
    const closed = upTo(lake.subscribe({ everyMs: 60_000 }), 'run-finished');
    aborting.abort();
    expect(await aborted).toEqual([]);
    await lake.close();
    expect(await closed).toEqual([]);
  });
});

test('beside another process that computes, rows are of one state, and its events are heard', async () => {
  const cwd = place();
  const { definition, bars, ticks } = smallLake(fewDays());
  const child = spawn(process.execPath, ['--conditions=source', join(import.meta.dirname, 'child.ts'), cwd], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('ready');
  // Opened before there is a lake.
  await using lake = await openLakehouse({
    cwd,
    env: {},
    definition,
    set: { dataDir: './data' },
    onWarning: () => undefined,
  });
  const heard: (string | undefined)[] = [];
  const listening = (async () => {
    for await (const event of lake.subscribe({ assets: bars, everyMs: 5 }))
      if (event.type === 'materialized') heard.push(`${event.asset} ${event.count}`);
      else if (event.type === 'run-finished' && heard.length >= 3) return;
  })();
  for (let round = 1; round <= 3; round++) {
    child.stdin.write('go\n');
    const done = lines.next();
    let ended = false;
    void done.then(() => (ended = true));
    do {
      const [row] = await lake.sql<{ least: number | null; most: number | null; rows: bigint }>`
        SELECT min(floor(price::DOUBLE / 100)) AS least, max(floor(price::DOUBLE / 100)) AS most, count(*) AS rows FROM ${ticks}`.rows();
      // One run replaces it whole: never some partitions of before, and some of after.
      expect(row?.least).toBe(row?.most);
      expect(['0', '12'].includes(String(row?.rows))).toBe(true);
      await lake.read(bars, {}, { columns: ['high'] }).rows();
    } while (!ended);
    expect((await done).value).toBe('succeeded');
    const highs = await lake.read(bars, { market: 'um' }, { columns: ['high'] }).rows();
    expect(highs.map(({ high }) => high)).toEqual([30, 31, 32].map((price) => `${price + 100 * round}.00`));
  }
  await listening;
  child.stdin.end();
  await once(child, 'exit');
  expect(heard).toEqual(['gold/bars 9', 'gold/bars 9', 'gold/bars 9']);
});
