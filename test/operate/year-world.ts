import {
  type AutomationCondition,
  eager,
  type LakehouseDefinition,
  newValues,
  onCron,
  schedule,
  sensor,
} from 'crypto-lakehouse';
import { type FixedInterval, klinesKey, klinesPrefix } from '../../assets/exchanges/binance/layout.ts';
import type { BinanceResource } from '../../assets/exchanges/binance/resource.ts';
import { LISTING, type SimulatedExchange, startSimulatedExchange } from '../../assets/exchanges/simulated/server.ts';
import { lakehouse as shipped } from '../../assets/index.ts';
import type { AssetDefinition } from '../../framework/define/model.ts';
import type { OpenedLake } from '../../framework/materialize/open.ts';
import { openTestLake } from '../materialize/lake.ts';
import { atEnd } from '../materialize/support.ts';

export const FIRST = '2024-01-01';
const INTERVAL: FixedInterval = '1h';
const market = 'spot';

const NEVER = undefined;
/** What of the shipped lake is lived with: by when the daemon computes it unasked. */
const CONDITIONS: Readonly<Record<string, AutomationCondition | undefined>> = {
  'binance/klines_daily_archive': NEVER,
  'binance/klines_monthly_archive': NEVER,
  'bronze/klines_daily': NEVER,
  'bronze/klines_monthly': eager(),
  'binance/klines_rest': NEVER,
  'bronze/klines_rest': NEVER,
  'silver/klines': eager(),
  'silver/klines_patches': eager(),
  'gold/klines_daily': eager(),
  'gold/klines_monthly': eager(),
  'gold/indicators': eager(),
  'gold/market_overview': onCron('0 20 * * *'),
};

const changed = new Map<AssetDefinition, AssetDefinition>();

function withCondition(definition: AssetDefinition): AssetDefinition {
  const known = changed.get(definition);
  if (known) return known;
  const inputs = definition.inputs.map((input) => ({
    ...input,
    alternatives: input.alternatives
      .filter(({ asset }) => asset === undefined || asset.key in CONDITIONS)
      .map(({ asset, ...rest }) => ({ ...rest, asset: asset && withCondition(asset) })),
  }));
  const made = { ...definition, inputs, automation: CONDITIONS[definition.key] };
  changed.set(definition, made);
  return made;
}

/** Candles of the archive, from its files to features, partly kept by conditions. */
export const lakehouse: LakehouseDefinition = {
  ...shipped,
  assets: shipped.assets.filter(({ key }) => key in CONDITIONS).map(withCondition) as unknown as typeof shipped.assets,
};

/** Originals of days by a schedule, months and all that is made of them by conditions; both archives are looked at twice a day. */
export const schedules = [
  schedule({ name: 'days', cron: '30 9 * * *', timezone: 'Europe/Berlin', select: '+bronze/klines_daily' }),
  schedule({ name: 'look', cron: '0 15 * * *', select: 'binance/*', action: 'observe' }),
];

export const sensors = [
  sensor({
    name: 'listings',
    every: { hours: 6 },
    select: '+gold/indicators',
    poll: newValues({
      dimension: 'symbol',
      list: async ({ resources, now, signal }) => {
        const root = klinesPrefix({ market, cadence: 'daily' });
        const folders = await (resources.binance as BinanceResource).archive(now).listPrefixes(root, { signal });
        return folders.map((folder) => folder.slice(root.length, -1));
      },
    }),
  }),
];

export const startExchange = (): Promise<SimulatedExchange> =>
  startSimulatedExchange({
    seed: 'a year',
    listings: [
      { market, symbol: 'AAAUSDT', price: 100 },
      { market, symbol: 'BBBUSDT', price: 10, days: [{ to: '2024-02-23' }, { from: '2024-07-01' }] },
      { market, symbol: 'CCCUSDT', price: 3, days: [{ from: '2024-02-05', to: '2024-11-11' }] },
    ],
    intervals: [INTERVAL],
    from: FIRST,
    to: FIRST,
  });

/** The lake over an exchange, in a directory; closed after the test. */
export async function openYear(
  directory: string,
  { url, listUrl }: SimulatedExchange,
  now: () => number,
): Promise<OpenedLake> {
  const lake = await openTestLake(lakehouse, directory, {
    now,
    sets: [
      `exchanges.binance.archive.baseUrl=${url}`,
      `exchanges.binance.archive.listUrl=${listUrl}`,
      'exchanges.binance.archive.simulated=true',
      'exchanges.binance.symbols=*',
      `exchanges.binance.intervals=${INTERVAL}`,
      `exchanges.binance.start=${FIRST}`,
      'workflow.retryAttempts=1',
      'workflow.retryDelayMs=1',
      'engine.threads=2',
      'engine.memoryLimit=1GB',
    ],
  });
  atEnd(() => lake.close());
  return lake;
}

/** What happens on a day, in the morning before the daemon looks. */
type Incident = (exchange: SimulatedExchange) => void;

const day = (symbol: string, period: string) =>
  klinesKey({ market, cadence: 'daily', symbol, interval: INTERVAL, period });
const month = (symbol: string, period: string) =>
  klinesKey({ market, cadence: 'monthly', symbol, interval: INTERVAL, period });

/** Published anew with another number (0: the open time, 1 to 4: open, high, low, close, 5: volume) in the first candle. */
const republish =
  (symbol: string, date: string, column: number, value: string): Incident =>
  ({ archive }) => {
    const [first = '', ...rest] = archive.csv(day(symbol, date)).split('\n');
    const candle = first.split(',').with(column, value).join(',');
    archive.republish(day(symbol, date), { csv: [candle, ...rest].join('\n') });
  };
const restore =
  (symbol: string, date: string): Incident =>
  ({ archive }) =>
    archive.restore(day(symbol, date));
const down: Incident = ({ fail }) => fail(LISTING, { status: 503 }, 1_000_000);
/** It answers again, after one more request. */
const up: Incident = ({ fail }) => fail(LISTING, { status: 503 }, 1);

export const INCIDENTS: Readonly<Record<string, readonly Incident[]>> = {
  // A day that is late: there is nothing on that morning, and it is there days later.
  '2024-01-10': [({ archive }) => archive.remove(day('AAAUSDT', '2024-01-09'))],
  '2024-01-14': [restore('AAAUSDT', '2024-01-09')],
  // Published anew without notice: other rows, the same rows in other bytes, and rows of long ago.
  '2024-01-20': [republish('AAAUSDT', '2024-01-15', 5, '77.5')],
  '2024-01-22': [({ archive }) => archive.republish(day('BBBUSDT', '2024-01-18'), { sameRowsOtherBytes: true })],
  '2024-03-03': [republish('CCCUSDT', '2024-02-06', 5, '12.25')],
  // A month that is listed, and not served for a while.
  '2024-02-01': [({ fail }) => fail(month('AAAUSDT', '2024-01'), { status: 503 }, 7)],
  // A file that arrives broken and is mended.
  '2024-02-09': [({ archive }) => archive.corrupt(day('AAAUSDT', '2024-02-08'))],
  '2024-02-12': [restore('AAAUSDT', '2024-02-08')],
  // A candle whose highest price is not the highest, and is put right.
  '2024-02-13': [republish('AAAUSDT', '2024-02-11', 2, '1')],
  '2024-02-15': [restore('AAAUSDT', '2024-02-11')],
  // The exchange does not answer.
  '2024-02-17': [down],
  '2024-02-22': [up],
  '2024-04-03': [down],
  '2024-04-04': [up],
  '2024-08-05': [down],
  '2024-08-11': [up],
  '2024-09-09': [republish('CCCUSDT', '2024-05-05', 5, '3.5')],
};

/** Days on which those who are told of what is bad cannot be reached. */
export const DEAF: ReadonlySet<string> = new Set(['2024-02-09', '2024-08-08']);

/** What the daemon has just begun when it dies, in the morning of a day. */
export const DEATHS: Readonly<Record<string, string>> = {
  '2024-01-24': 'automation conditions',
  '2024-02-25': 'schedule days',
  '2024-09-30': 'automation conditions',
};

/** Days on which no daemon runs: the machine is off. */
export const OFF: ReadonlySet<string> = new Set(['2024-02-26', '2024-02-27', '2024-10-01']);
