import { LakehouseError } from 'crypto-lakehouse';
import { type FixedInterval, intervalMs, isInterval, type Market, markets } from '../binance/layout.ts';
import { endpoints } from '../binance/rest/endpoints.ts';
import { isListed, type SimulatedArchiveOptions, type SimulatedListing } from './archive.ts';
import { fundingRates } from './funding.ts';
import { aggregateKlines, DAY_MS, type Klines, MINUTE_MS, minuteKlines } from './prices.ts';
import { klinesText } from './text.ts';

export interface SimulatedRestOptions extends SimulatedArchiveOptions {
  /** The exchange's clock, milliseconds since 1970 UTC: what is later does not exist yet. */
  readonly now: () => number;
  /** Most weight within a minute, instead of the real exchange's. */
  readonly weightPerMinute?: number | undefined;
}

export interface RestReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What the request weighed. */
  readonly weight: number;
}

/** What a market has counted of its visitors. */
interface Visits {
  minute: number;
  weight: number;
  /** Requests within this minute that came after the first 429. */
  ignored: number;
  bannedUntil: number;
}

/** Requests that a visitor may still send within a minute when told to wait; then comes the ban. */
const PATIENCE = 2;
const BAN_MS = 120_000;
/** Of what was always listed. */
const FIRST_DAY = '2019-09-08';

/** The REST interface of a simulated exchange: answers a path and its query, undefined when they are none of it. */
export function simulatedRest(
  options: SimulatedRestOptions,
): (path: string, query: URLSearchParams) => RestReply | undefined {
  const { now } = options;
  const visits = new Map<Market, Visits>();

  return (path, query) => {
    const market = markets.find((known) => path.startsWith(`${endpoints[known].root}/`));
    if (market === undefined) return undefined;
    const { root, infoWeight, limits } = endpoints[market];
    const answers: Record<string, { weight: number; answer: () => unknown }> = {
      exchangeInfo: { weight: infoWeight, answer: () => exchangeInfo(market) },
      klines: { weight: klinesWeight(market, query), answer: () => klines(market, query) },
      ...(market !== 'spot' && { fundingRate: { weight: 1, answer: () => funding(market, query) } }),
    };
    const found = answers[path.slice(root.length + 1)];
    if (found === undefined) return { status: 404, headers: {}, body: '', weight: 0 };
    const weight = options.weightPerMinute ?? limits[0]?.limit ?? 0;
    const { refusal, headers } = count(market, found.weight, weight);
    const reply = (status: number, body: unknown): RestReply => ({
      status,
      headers: { 'content-type': 'application/json;charset=UTF-8', ...headers },
      body: JSON.stringify(body),
      weight: found.weight,
    });
    if (refusal) return reply(refusal.status, refusal.body);
    try {
      return reply(200, found.answer());
    } catch (error) {
      if (error instanceof Refused) return reply(400, { code: Number(error.code), msg: error.message });
      throw error;
    }
  };

  /** Counts by clock minutes; too much is answered by 429, going on regardless by 418. */
  function count(market: Market, weight: number, limit: number) {
    const at = now();
    const minute = Math.floor(at / MINUTE_MS);
    const before = visits.get(market);
    const own =
      before?.minute === minute ? before : { minute, weight: 0, ignored: 0, bannedUntil: before?.bannedUntil ?? 0 };
    visits.set(market, own);
    own.weight += weight;
    const headers = { 'x-mbx-used-weight': `${own.weight}`, 'x-mbx-used-weight-1m': `${own.weight}` };
    if (own.weight > limit && own.bannedUntil <= at && own.ignored++ >= PATIENCE) own.bannedUntil = at + BAN_MS;
    if (own.bannedUntil > at) {
      const msg = `Way too much request weight used; IP banned until ${own.bannedUntil}. Please use the websocket for live updates to avoid bans.`;
      return refused(418, msg, own.bannedUntil - at, headers);
    }
    if (own.weight > limit) {
      const msg = `Too much request weight used; current limit is ${limit} request weight per 1 MINUTE. Please use the websocket for live updates to avoid polling the API.`;
      return refused(429, msg, (minute + 1) * MINUTE_MS - at, headers);
    }
    return { refusal: undefined, headers };
  }

  function listingOf(market: Market, query: URLSearchParams): SimulatedListing {
    const listing = options.listings.find((known) => known.market === market && known.symbol === query.get('symbol'));
    if (listing === undefined) throw new Refused(-1121, 'Invalid symbol.');
    return listing;
  }

  function klines(market: Market, query: URLSearchParams): unknown[] {
    const listing = listingOf(market, query);
    const interval = query.get('interval') ?? '';
    if (!isInterval(interval) || interval === '1mo' || intervalMs(interval) > DAY_MS || interval === '1s') {
      throw new Refused(-1120, 'Invalid interval.');
    }
    const { startMs, endMs, limit } = spanOf(query, 500, endpoints[market].klines.at(-1)?.limit ?? 0);
    if (market === 'cm' && endMs - startMs > 200 * DAY_MS)
      throw new Refused(-4088, 'Maximum time interval is 200 days.');
    const rows: unknown[] = [];
    for (let day = Math.floor(startMs / DAY_MS); day * DAY_MS <= Math.min(endMs, now()) && rows.length < limit; day++) {
      if (isListed(listing, day)) rows.push(...dayOfKlines(listing, interval, day).filter(within(startMs, endMs)));
    }
    return rows.slice(0, limit);
  }

  /** The rows of a day as REST writes them; of a candle that is open, what has happened so far. */
  function dayOfKlines(listing: SimulatedListing, interval: FixedInterval, day: number): [number, ...unknown[]][] {
    const minutes = until(minuteKlines({ ...listing, seed: options.seed, outages: options.outages }, day), now());
    const candles = interval === '1m' ? minutes : aggregateKlines(minutes, intervalMs(interval));
    const text = new TextDecoder().decode(klinesText(candles, listing.market, interval, day));
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const fields: unknown[] = line.split(',');
        // Milliseconds here, also where the archive writes microseconds.
        const [open, close] = [fields[0], fields[6]].map((time) => Number(String(time).slice(0, 13)));
        return [open ?? 0, ...fields.slice(1, 6), close, fields[7], Number(fields[8]), ...fields.slice(9)];
      });
  }

  function funding(market: Market, query: URLSearchParams): unknown[] {
    const listing = listingOf(market, query);
    const { startMs, endMs, limit } = spanOf(query, 100, 1000);
    return fundingRates({ ...listing, seed: options.seed }, startMs, Math.min(endMs, now()))
      .filter(({ fundingTime }) => isListed(listing, Math.floor(fundingTime / DAY_MS)))
      .slice(0, limit);
  }

  function exchangeInfo(market: Market): unknown {
    const limit = options.weightPerMinute ?? endpoints[market].limits[0]?.limit;
    const futures = market === 'spot' ? undefined : market === 'um' ? 'status' : 'contractStatus';
    const today = Math.floor(now() / DAY_MS);
    return {
      timezone: 'UTC',
      serverTime: now(),
      rateLimits: [{ rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit }],
      exchangeFilters: [],
      symbols: options.listings
        .filter((listing) => listing.market === market)
        .map((listing) => {
          const { symbol, days = [] } = listing;
          const traded = isListed(listing, today);
          if (futures === undefined) return { symbol, status: traded ? 'TRADING' : 'BREAK' };
          const [from = FIRST_DAY, to] = [days.at(0)?.from, days.at(-1)?.to];
          return {
            symbol,
            pair: symbol.replace(/_PERP$/, ''),
            contractType: 'PERPETUAL',
            onboardDate: Date.parse(from),
            deliveryDate: to === undefined ? 4_133_404_800_000 : Date.parse(to) + DAY_MS,
            [futures]: traded ? 'TRADING' : 'SETTLING',
          };
        }),
    };
  }
}

/** A refusal in the exchange's words; its code is the exchange's number. */
class Refused extends LakehouseError {
  constructor(number: number, message: string) {
    super(String(number), message);
  }
}

function refused(status: number, msg: string, waitMs: number, headers: Record<string, string>) {
  const wait = { 'retry-after': String(Math.ceil(waitMs / 1000)) };
  return { refusal: { status, body: { code: -1003, msg } }, headers: { ...headers, ...wait } };
}

function klinesWeight(market: Market, query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? 500);
  const pages = endpoints[market].klines;
  return (pages.find((page) => limit <= page.limit) ?? pages.at(-1))?.weight ?? 0;
}

function spanOf(query: URLSearchParams, standard: number, most: number) {
  const time = (name: string, otherwise: number) => Number(query.get(name) ?? otherwise);
  return {
    startMs: time('startTime', 0),
    endMs: time('endTime', Number.MAX_SAFE_INTEGER),
    limit: Math.min(most, Number(query.get('limit') ?? standard)),
  };
}

const within =
  (startMs: number, endMs: number) =>
  ([open]: readonly [number, ...unknown[]]): boolean =>
    open >= startMs && open <= endMs;

/** Only the minutes that have begun. */
function until(klines: Klines, ms: number): Klines {
  const rows = klines.openMs.findLastIndex((open) => open <= ms) + 1;
  if (rows === klines.openMs.length) return klines;
  const cut = (column: Float64Array) => column.slice(0, rows);
  return {
    digits: klines.digits,
    openMs: cut(klines.openMs),
    open: cut(klines.open),
    high: cut(klines.high),
    low: cut(klines.low),
    close: cut(klines.close),
    volume: cut(klines.volume),
    quote: cut(klines.quote),
    trades: cut(klines.trades),
    takerVolume: cut(klines.takerVolume),
    takerQuote: cut(klines.takerQuote),
  };
}
