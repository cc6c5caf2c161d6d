import { expect, test, vi } from 'vitest';
import { type FixedInterval, klinesKey } from '../../assets/exchanges/binance/layout.ts';
import { LISTING, startSimulatedExchange } from '../../assets/exchanges/simulated/server.ts';
import { lakehouse } from '../../assets/index.ts';
import { schedule } from '../../framework/define/schedule.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { PRESENT } from '../../framework/plan/view.ts';
import { versionHex } from '../../framework/state/events.ts';
import { openTestLake, run } from '../materialize/lake.ts';
import { atEnd, temporaryDirectory } from '../materialize/support.ts';
import { stage } from './support.ts';

// A year of an exchange, lived through by the daemon a day at a time, ends with the lake that is built of its archive at once.
vi.setConfig({ testTimeout: 1_200_000 });

/** The whole year by hand: YEAR_DAYS=366. */
const DAYS = Number(process.env.YEAR_DAYS ?? 80);
const DAY_MS = 86_400_000;
const FIRST = Date.parse('2024-01-01');
const INTERVAL: FixedInterval = '1h';
const dateOf = (day: number) => new Date(FIRST + day * DAY_MS).toISOString().slice(0, 10);

/** What happens on a day, in the morning before the daemon looks. */
type Incident = (world: {
  readonly key: (symbol: string, date: string) => string;
  readonly archive: Awaited<ReturnType<typeof startSimulatedExchange>>['archive'];
  readonly fail: (times: number) => void;
}) => void;

const republish =
  (symbol: string, date: string, factor: string): Incident =>
  ({ archive, key }) => {
    // One number of the first candle of the day is another.
    const csv = archive.csv(key(symbol, date)).replace(/^(\d+,[^,]*,[^,]*,[^,]*,[^,]*,)[^,]*/m, `$1${factor}`);
    archive.republish(key(symbol, date), { csv });
  };

const INCIDENTS: Readonly<Record<string, readonly Incident[]>> = {
  // Days that are late: there is nothing on that morning, and it is there days later.
  '2024-01-10': [({ archive, key }) => archive.remove(key('AAAUSDT', '2024-01-09'))],
  '2024-01-14': [({ archive, key }) => archive.restore(key('AAAUSDT', '2024-01-09'))],
  // Published anew without notice: other rows, the same rows in other bytes, and rows of long ago.
  '2024-01-20': [republish('AAAUSDT', '2024-01-15', '77.5')],
  '2024-01-22': [({ archive, key }) => archive.republish(key('BBBUSDT', '2024-01-18'), { sameRowsOtherBytes: true })],
  '2024-03-05': [republish('BBBUSDT', '2024-01-02', '12.25')],
  // A file that arrives broken and is mended.
  '2024-02-12': [({ archive, key }) => archive.corrupt(key('AAAUSDT', '2024-02-11'))],
  '2024-02-15': [({ archive, key }) => archive.restore(key('AAAUSDT', '2024-02-11'))],
  // The exchange does not answer.
  '2024-02-20': [({ fail }) => fail(1_000_000)],
  '2024-02-22': [({ fail }) => fail(0)],
  '2024-04-03': [({ fail }) => fail(1_000_000)],
  '2024-04-04': [({ fail }) => fail(0)],
  '2024-08-05': [({ fail }) => fail(1_000_000)],
  '2024-08-11': [({ fail }) => fail(0)],
  '2024-09-09': [republish('CCCUSDT', '2024-05-05', '3.5')],
};

/** Days on which no daemon runs: the machine is off. It dies in the middle of a tick on the day before. */
const OFF = new Set(['2024-03-14', '2024-03-15', '2024-03-16', '2024-10-01']);

async function open(directory: string, urls: { url: string; listUrl: string }, now: () => number): Promise<OpenedLake> {
  const lake = await openTestLake(lakehouse, directory, {
    now,
    sets: [
      `exchanges.binance.archive.baseUrl=${urls.url}`,
      `exchanges.binance.archive.listUrl=${urls.listUrl}`,
      'exchanges.binance.archive.simulated=true',
      'exchanges.binance.symbols=*',
      `exchanges.binance.intervals=${INTERVAL}`,
      'exchanges.binance.start=2024-01-01',
      'workflow.retryAttempts=1',
      'workflow.retryDelayMs=1',
      'engine.threads=2',
      'engine.memoryLimit=1GB',
    ],
  });
  atEnd(() => lake.close());
  return lake;
}

/** Data versions of all that is there, by asset and partition. */
function contents(lake: OpenedLake, assets: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const key of assets) {
    for (const [series, { base, flags }] of lake.state.refresh().asset(key)?.series ?? []) {
      const details = lake.state.details(key, series);
      if (details === undefined) continue;
      for (let i = 0; i < flags.length; i++)
        if ((flags[i] as number) & PRESENT)
          found[`${key} ${series} ${base + i}`] = versionHex(details.version, base + i - details.base);
    }
  }
  return found;
}

test(`${DAYS} days of an exchange with outages, late days, re-publications and delistings`, async () => {
  const exchange = await startSimulatedExchange({
    seed: 'a year',
    listings: [
      { market: 'spot', symbol: 'AAAUSDT', price: 100 },
      { market: 'spot', symbol: 'BBBUSDT', price: 10, days: [{ to: '2024-04-20' }, { from: '2024-07-01' }] },
      { market: 'spot', symbol: 'CCCUSDT', price: 3, days: [{ from: '2024-02-05', to: '2024-11-11' }] },
    ],
    intervals: [INTERVAL],
    from: '2024-01-01',
    to: '2024-01-01',
  });
  atEnd(() => exchange.close());
  const clock = { now: FIRST + DAY_MS + 7 * 3_600_000 };
  const directory = await temporaryDirectory();
  const lake = await open(directory, exchange, () => clock.now);
  const { start, advance, ticks } = stage(lake, clock);
  const schedules = [
    schedule({ name: 'morning', cron: '30 9 * * *', timezone: 'Europe/Berlin', select: '*' }),
    schedule({ name: 'afternoon', cron: '0 15 * * *', select: '*' }),
  ];
  const key = (symbol: string, period: string) =>
    klinesKey({ market: 'spot', cadence: 'daily', symbol, interval: INTERVAL, period });
  const fail = (times: number) => exchange.fail(LISTING, { status: 503 }, Math.max(times, 1));
  let daemon = start(schedules);
  for (let day = 1; day < DAYS; day++) {
    // The day before has been published in the morning.
    if (day > 1) exchange.archive.addDay();
    for (const incident of INCIDENTS[dateOf(day)] ?? []) incident({ archive: exchange.archive, key, fail });
    if (OFF.has(dateOf(day))) continue;
    if (OFF.has(dateOf(day - 1))) {
      clock.now = FIRST + day * DAY_MS + 6 * 3_600_000;
      daemon = start(schedules);
    }
    await advance(daemon, `${dateOf(day)}T23:00:00Z`);
  }
  await daemon.stop(0);

  const once = await open(await temporaryDirectory(), exchange, () => clock.now);
  const built = await run(once);
  expect(built.outcome).toBe('succeeded');
  const tables = lake.graph.order.filter((asset) => lake.graph.node(asset).definition.storage.type === 'table');
  const lived = contents(lake, tables);
  expect(Object.keys(lived).length).toBeGreaterThan(DAYS * 4);
  expect(lived).toEqual(contents(once, tables));
  // Neither has anything left to do.
  for (const one of [lake, once]) expect((await run(one, { observe: false })).counts.computed).toBe(0);
  await expect(ticks().join('\n')).toMatchFileSnapshot(`./year-${DAYS}.txt`);
});
