import { didYouMean, LakehouseError } from 'crypto-lakehouse';

// The key layout of Binance's public archive, as seen at data.binance.vision. Pure: no I/O.

/** `um`: futures margined in USD-like coins; `cm`: futures margined in the base coin. */
export const markets = ['spot', 'um', 'cm'] as const;
export type Market = (typeof markets)[number];

/** A file holds one UTC day or one UTC month. */
export const cadences = ['daily', 'monthly'] as const;
export type Cadence = (typeof cadences)[number];

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const lengths = {
  '1s': SECOND,
  '1m': MINUTE,
  '3m': 3 * MINUTE,
  '5m': 5 * MINUTE,
  '15m': 15 * MINUTE,
  '30m': 30 * MINUTE,
  '1h': HOUR,
  '2h': 2 * HOUR,
  '4h': 4 * HOUR,
  '6h': 6 * HOUR,
  '8h': 8 * HOUR,
  '12h': 12 * HOUR,
  '1d': DAY,
  '3d': 3 * DAY,
  '1w': 7 * DAY,
} as const;

/** Every interval but the calendar month has one length. */
export type FixedInterval = keyof typeof lengths;
/** The archive writes the month as `1mo` (the REST API as `1M`, which some disks cannot tell from `1m`). */
export type Interval = FixedInterval | '1mo';

/** Shortest first. `1s` exists for spot only. */
export const intervals: readonly Interval[] = [...(Object.keys(lengths) as FixedInterval[]), '1mo'];

export function isInterval(text: string): text is Interval {
  return text === '1mo' || Object.hasOwn(lengths, text);
}

/** Length of a candle in milliseconds. */
export function intervalMs(interval: FixedInterval): number {
  return lengths[interval];
}

/** Candles longer than a day are published by month only. */
export function hasDailyFiles(interval: Interval): boolean {
  return interval !== '1mo' && lengths[interval] <= DAY;
}

/** A kind of data in the archive. */
export interface ArchiveType {
  readonly markets: readonly Market[];
  readonly cadences: readonly Cadence[];
  /** Whether there is a folder, and a name, for each interval. */
  readonly byInterval: boolean;
  /** The word for it in the setting `dataTypes`. */
  readonly dataType: string;
}

const futures = ['um', 'cm'] as const;

/** By the name of their folder. Which markets and cadences there are is what the bucket's listing shows. */
export const archiveTypes = {
  klines: { markets, cadences, byInterval: true, dataType: 'klines' },
  markPriceKlines: { markets: futures, cadences, byInterval: true, dataType: 'mark_price_klines' },
  /** cm: of a pair (`BTCUSD`), not of a contract. */
  indexPriceKlines: { markets: futures, cadences, byInterval: true, dataType: 'index_price_klines' },
  premiumIndexKlines: { markets: futures, cadences, byInterval: true, dataType: 'premium_index_klines' },
  fundingRate: { markets: futures, cadences: ['monthly'], byInterval: false, dataType: 'funding_rates' },
  liquidationSnapshot: { markets: futures, cadences: ['daily'], byInterval: false, dataType: 'liquidations' },
  aggTrades: { markets, cadences, byInterval: false, dataType: 'agg_trades' },
  trades: { markets, cadences, byInterval: false, dataType: 'trades' },
  bookTicker: { markets: futures, cadences, byInterval: false, dataType: 'book_ticker' },
  bookDepth: { markets: futures, cadences: ['daily'], byInterval: false, dataType: 'book_depth' },
  metrics: { markets: futures, cadences: ['daily'], byInterval: false, dataType: 'metrics' },
} as const satisfies Record<string, ArchiveType>;
export type ArchiveTypeName = keyof typeof archiveTypes;

/** One zip of the archive. */
export interface ArchiveFile {
  readonly type: ArchiveTypeName;
  readonly market: Market;
  readonly cadence: Cadence;
  readonly symbol: string;
  /** Only of types that have one. */
  readonly interval?: Interval | undefined;
  /** UTC day `2020-01-01` or month `2020-01`, as the cadence says. */
  readonly period: string;
}

const roots = { spot: 'spot', um: 'futures/um', cm: 'futures/cm' } as const satisfies Record<Market, string>;

/**
 * The prefix under which files lie; each further part narrows it.
 * @example archivePrefix({ type: 'klines', market: 'um', cadence: 'daily', symbol: 'BTCUSDT' }) // data/futures/um/daily/klines/BTCUSDT/
 */
export function archivePrefix(of: {
  readonly type: ArchiveTypeName;
  readonly market: Market;
  readonly cadence: Cadence;
  readonly symbol?: string | undefined;
  readonly interval?: Interval | undefined;
}): string {
  const root = `data/${roots[of.market]}/${of.cadence}/${of.type}/`;
  if (of.symbol === undefined) return root;
  checkSymbol(of.symbol);
  return of.interval === undefined ? `${root}${of.symbol}/` : `${root}${of.symbol}/${of.interval}/`;
}

/** How the names of a series' files begin: what the period follows. */
export function archiveStem(of: Pick<ArchiveFile, 'type' | 'symbol' | 'interval'>): string {
  return `${of.symbol}-${of.interval ?? of.type}-`;
}

/**
 * The key of a zip.
 * @throws LakehouseError `usage` when the archive cannot have such a file, the symbol cannot be part of a key, or the period is not
 * of the cadence.
 */
export function archiveKey(of: ArchiveFile): string {
  const { type, market, cadence, interval, period } = of;
  if (!isPeriod(cadence, period)) {
    const shape = cadence === 'daily' ? 'a day like 2020-01-31' : 'a month like 2020-01';
    throw new LakehouseError('archive-period', `'${period}' is not the period of a ${cadence} file: write ${shape}`);
  }
  const known: ArchiveType = archiveTypes[type];
  if (!known.markets.includes(market) || !known.cadences.includes(cadence)) {
    throw new LakehouseError('archive-type', `The archive has no ${cadence} files of ${type} for ${market}`);
  }
  if (known.byInterval !== (interval !== undefined)) {
    throw new LakehouseError(
      'archive-interval',
      `${type} ${known.byInterval ? 'has one file for each interval' : 'has no intervals'}`,
    );
  }
  if (cadence === 'daily' && interval !== undefined && !hasDailyFiles(interval)) {
    throw new LakehouseError('archive-interval', `There are no daily files of ${interval} candles`, {
      hint: 'Candles longer than 1d are published by month only.',
    });
  }
  return `${archivePrefix(of)}${archiveStem(of)}${period}.zip`;
}

const keyShape =
  /^data\/(spot|futures\/um|futures\/cm)\/(daily|monthly)\/([^/]+)\/([^/]+)\/(?:([^/]+)\/)?([^/]+)\.zip$/u;

/** The inverse of `archiveKey`: undefined for everything that is not the key of such a zip (so also for a `.CHECKSUM`). */
export function parseArchiveKey(key: string): ArchiveFile | undefined {
  const [, root, cadence, type, symbol, interval, file] = keyShape.exec(key) ?? [];
  const market = markets.find((m) => roots[m] === root);
  if (market === undefined || (cadence !== 'daily' && cadence !== 'monthly')) return undefined;
  if (symbol === undefined || !symbolShape.test(symbol) || !isArchiveType(type)) return undefined;
  const known: ArchiveType = archiveTypes[type];
  if (!known.markets.includes(market) || !known.cadences.includes(cadence)) return undefined;
  if (known.byInterval !== (interval !== undefined) || (interval !== undefined && !isInterval(interval)))
    return undefined;
  const stem = archiveStem({ type, symbol, interval });
  if (!file?.startsWith(stem)) return undefined;
  const period = file.slice(stem.length);
  if (!isPeriod(cadence, period) || (cadence === 'daily' && interval !== undefined && !hasDailyFiles(interval))) {
    return undefined;
  }
  return { type, market, cadence, symbol, interval, period };
}

const isArchiveType = (text: string | undefined): text is ArchiveTypeName =>
  text !== undefined && Object.hasOwn(archiveTypes, text);

const CHECKSUM = '.CHECKSUM';

/** The key of the object that holds the SHA-256 of another. */
export function checksumKey(key: string): string {
  return `${key}${CHECKSUM}`;
}

/** The key that a CHECKSUM object speaks of; undefined for any other object. */
export function checksummedKey(key: string): string | undefined {
  return key.endsWith(CHECKSUM) ? key.slice(0, -CHECKSUM.length) : undefined;
}

/**
 * Reads an interval that a person wrote.
 * @throws LakehouseError `usage`, with a suggestion.
 */
export function asInterval(text: string): Interval {
  if (isInterval(text)) return text;
  throw new LakehouseError('unknown-interval', `Unknown interval '${text}'`, {
    hint: text === '1M' ? "The archive's month is '1mo'." : didYouMean(text, intervals),
  });
}

// Symbols may be in any script (there are Chinese ones); what must not pass is anything that changes the path.
const symbolShape = /^(?!\.{1,2}$)[^/\\\s\p{Cc}]+$/u;

function checkSymbol(symbol: string): void {
  if (symbolShape.test(symbol)) return;
  throw new LakehouseError('archive-symbol', `${JSON.stringify(symbol)} cannot be a symbol`, {
    hint: 'A symbol has no slash, no space and no control character.',
  });
}

function isPeriod(cadence: Cadence, period: string): boolean {
  if (!(cadence === 'daily' ? /^\d{4}-\d\d-\d\d$/ : /^\d{4}-\d\d$/).test(period)) return false;
  const time = Date.parse(`${period}T00:00:00Z`.replace(/^(\d{4}-\d\d)T/, '$1-01T'));
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(period);
}

/** The key of a zip of candles. */
export const klinesKey = (of: Omit<ArchiveFile, 'type'>): string => archiveKey({ type: 'klines', ...of });
export const klinesPrefix = (of: Omit<Parameters<typeof archivePrefix>[0], 'type'>): string =>
  archivePrefix({ type: 'klines', ...of });
