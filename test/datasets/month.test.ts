import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sha256Of } from '../../assets/exchanges/binance/checksum.ts';
import { checksumKey, klinesKey, type Market, parseArchiveKey } from '../../assets/exchanges/binance/layout.ts';
import { type Fault, LISTING, startSimulatedExchange } from '../../assets/exchanges/simulated/server.ts';
import { lakehouse } from '../../assets/index.ts';
import type { RunEvent } from '../../framework/materialize/events.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { openTestLake, run } from '../materialize/lake.ts';
import { problems, statuses, versions } from '../materialize/support.ts';

const RETRIES = 3;
const SELECT = '+silver/klines';
const listings = Array.from({ length: 20 }, (_, i) => ({
  market: i < 12 ? ('spot' as const) : ('um' as const),
  symbol: `S${String(i).padStart(2, '0')}USDT`,
  price: 10 ** (i % 5),
}));
const keyOf = (listing: number, day: number): string => {
  const { market, symbol } = listings[listing] as { market: Market; symbol: string };
  const period = `2024-03-${String(day).padStart(2, '0')}`;
  return klinesKey({ market, cadence: 'daily', symbol, interval: '1h', period });
};
/** As the log names it. */
const partitionOf = (key: string): string => {
  const { market, symbol, interval, period } = parseArchiveKey(key) ?? {};
  return `exchange=binance/market=${market}/symbol=${symbol}/interval=${interval}/date=${period}`;
};

/** Numbers from 0 to 1, the same every time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What may happen to a request, and on how many of a thousand objects. */
const weather: readonly (readonly [perMille: number, fault: Fault, times: number])[] = [
  [30, { status: 503 }, 1],
  [15, { status: 500 }, 2],
  [5, { status: 502 }, 1],
  [10, { status: 429, retryAfter: '0' }, 1],
  [3, { status: 418, retryAfter: '0' }, 1],
  [15, { resetAfterBytes: 40 }, 1],
  [15, { resetAfterBytes: 0 }, 1],
  [20, { delayMs: 30 }, 1],
];

function faultOf(roll: number): readonly [Fault, number] | undefined {
  let below = 0;
  for (const [perMille, fault, times] of weather) {
    below += perMille / 1000;
    if (roll < below) return [fault, times];
  }
  return undefined;
}

const failures = (events: readonly RunEvent[], asset: string) =>
  Object.fromEntries(
    events.flatMap((event) =>
      event.type === 'partition-failed' && event.asset === asset ? [[event.partition, event.error.code]] : [],
    ),
  );

test('a month of 20 symbols lands complete and correct through everything that goes wrong on the wire', async () => {
  const exchange = await startSimulatedExchange({
    seed: 'month',
    listings,
    intervals: ['1h'],
    from: '2024-03-01',
    to: '2024-03-31',
    monthlyPublished: false,
  });
  const directory = mkdtempSync(join(tmpdir(), 'month-'));
  const lakes: OpenedLake[] = [];
  onTestFinished(async () => {
    for (const lake of lakes) await lake.close();
    await exchange.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const { archive } = exchange;
  const zips = archive.keys().filter((key) => key.endsWith('.zip'));
  expect(zips).toHaveLength(620);
  const open = async (name: string) => {
    const sets = [
      ...[`exchanges.binance.archive.baseUrl=${exchange.url}`, `exchanges.binance.archive.listUrl=${exchange.listUrl}`],
      ...['exchanges.binance.archive.simulated=true', 'exchanges.binance.markets=[spot,um]'],
      ...["exchanges.binance.symbols=['*']", 'exchanges.binance.intervals=[1h]'],
      ...[`workflow.retryAttempts=${RETRIES}`, 'workflow.retryDelayMs=1'],
    ];
    const lake = await openTestLake(lakehouse, join(directory, name), { sets, now: () => Date.UTC(2024, 3, 20) });
    lakes.push(lake);
    return lake;
  };
  /** A run, and what it asked for: listings, and GETs by key. */
  const runs = async (lake: OpenedLake, seen?: (event: RunEvent) => void) => {
    exchange.resetRequests();
    const { events, counts } = await run(lake, { selection: SELECT }, seen);
    const { list, byKey } = exchange.requests;
    return { events, counts, list, gets: new Map(byKey) };
  };
  const pairs = (keys: readonly string[]) => keys.flatMap((key) => [key, checksumKey(key)]).sort();

  const sound = await open('sound');
  const fine = await runs(sound);
  // A listing for the folders of each market and cadence, and one for each symbol.
  const LISTS = 4 + 20;
  expect([fine.counts.failed, fine.list]).toEqual([0, LISTS]);
  expect([...fine.gets.keys()].sort()).toEqual(pairs(zips));
  expect(Math.max(...fine.gets.values())).toBe(1);

  const missing = [keyOf(3, 7), keyOf(15, 31)];
  const wrongChecksum = [keyOf(0, 1), keyOf(5, 12), keyOf(19, 30)];
  const damaged = keyOf(13, 5);
  const replaced = [keyOf(2, 2), keyOf(9, 20), keyOf(16, 15)];
  for (const key of pairs(missing)) archive.remove(key);
  for (const key of wrongChecksum) archive.corrupt(key);
  archive.corrupt(damaged, 'follows');
  const roll = dice(2024);
  const faults = new Map<string, number>();
  for (const key of archive.keys()) {
    const [fault, times] = faultOf(roll()) ?? [];
    if (fault === undefined || times === undefined) continue;
    exchange.fail(key, fault, times);
    if (!('delayMs' in fault)) faults.set(key, times);
  }
  exchange.fail(LISTING, { status: 503 }, 2);
  expect(faults.size).toBeGreaterThan(80);

  const lake = await open('faulty');
  const first = await runs(lake, (event) => {
    // Listed already, and not fetched yet.
    if (event.type === 'asset-started' && event.asset === 'bronze/klines_daily')
      for (const key of replaced) archive.republish(key, { sameRowsOtherBytes: true });
  });
  const bad: Record<string, unknown> = { [partitionOf(damaged)]: expect.stringMatching(/^zip-/) };
  for (const key of wrongChecksum) bad[partitionOf(key)] = 'checksum-mismatch';
  for (const key of replaced) bad[partitionOf(key)] = 'source-changed';
  expect(failures(first.events, 'bronze/klines_daily')).toEqual(bad);
  expect(failures(first.events, 'silver/klines')).toEqual({});
  // The days after the month are waited for.
  const there = Object.entries(statuses(lake, 'silver/klines')).filter(([key]) => key.includes('date=2024-03'));
  expect(Object.fromEntries(there.filter(([, status]) => status !== 'fresh'))).toEqual({
    ...Object.fromEntries(Object.keys(bad).map((key) => [key, 'blocked'])),
    ...Object.fromEntries(missing.map((key) => [partitionOf(key), 'unavailable'])),
  });
  // Two that the SDK tried again, and one for each wrong CHECKSUM, to see whether it is listed so.
  expect(first.list).toBe(LISTS + 2 + wrongChecksum.length);
  const more = zips.flatMap((zip) => {
    const both = [zip, checksumKey(zip)];
    const failed = both.reduce((sum, key) => sum + (faults.get(key) ?? 0), 0);
    const again = replaced.includes(zip) ? RETRIES : wrongChecksum.includes(zip) ? 1 : 0;
    return both.filter((key) => (first.gets.get(key) ?? 0) > 1 + failed + again);
  });
  expect(more).toEqual([]);

  // What is wrong for good is left alone; what was replaced has been listed by now.
  const second = await runs(lake);
  expect([second.list, [...second.gets].sort()]).toEqual([LISTS, pairs(replaced).map((key) => [key, 1])]);

  for (const key of [...wrongChecksum, damaged, ...pairs(missing)]) archive.restore(key);
  const third = await runs(lake);
  expect([...third.gets].sort()).toEqual(pairs([...wrongChecksum, damaged, ...missing]).map((key) => [key, 1]));
  const fourth = await runs(lake);
  expect([fourth.list, fourth.gets.size, fourth.counts.computed]).toEqual([LISTS, 0, 0]);

  const ours = versions(lake);
  const bronze = zips.map((key) => [
    `bronze/klines_daily ${partitionOf(key)}`,
    sha256Of(archive.body(key) ?? new Uint8Array()).slice(0, 32),
  ]);
  expect(bronze.filter(([name = '', sha256]) => ours[name] !== sha256)).toEqual([]);
  const silverOf = (all: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('silver/')));
  expect(Object.keys(silverOf(ours))).toHaveLength(620);
  expect(silverOf(ours)).toEqual(silverOf(versions(sound)));
  expect(await problems(lake)).toEqual([]);
});
