import { LakehouseError } from 'crypto-lakehouse';
import type { Interval, Market } from '../layout.ts';
import type { RestClient } from './client.ts';
import { candlesIn, cheapestPage, endpoints, type RestKlineType, restInterval, restKlineTypes } from './endpoints.ts';
import { unexpected } from './info.ts';
import type { Limiter } from './limiter.ts';

/** A half-open span of time, milliseconds since 1970 UTC. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export interface CandlePages {
  readonly bodies: Uint8Array[];
  /** Milliseconds since 1970 UTC; undefined where there is none. */
  readonly lastMs: number | undefined;
}

export interface KlinesRequest extends Span {
  readonly type: RestKlineType;
  readonly market: Market;
  /** Symbol, or pair for what is of pairs. */
  readonly symbol: string;
  readonly interval: Interval;
}

/**
 * All candles that open in a span, as the bodies of the answers, oldest first, and when the last one opens. A page that is not full is the last: a hole in the
 * data is no end, and candles may open off their grid.
 * @throws LakehouseError `rest-other-range`, `rest-shape` of kind `data`; those of the client.
 */
export async function fetchKlines(client: RestClient, of: KlinesRequest, signal: AbortSignal): Promise<CandlePages> {
  const { root, klines } = endpoints[of.market];
  const path = `${root}/${of.type}`;
  const bodies: Uint8Array[] = [];
  let lastMs: number | undefined;
  for (let { startMs } = of; startMs < of.endMs; ) {
    // One more than there should be: a page that is full could be followed by another.
    const { limit, weight } = cheapestPage(klines, candlesIn(of.interval, of.endMs - startMs) + 1);
    const query = {
      [restKlineTypes[of.type].of]: of.symbol,
      interval: restInterval(of.interval),
      startTime: startMs,
      endTime: of.endMs - 1,
      limit,
    };
    const { bytes, json } = await client.get({ path, query, weight, signal });
    const times = timesOf(json, path, (row) => (Array.isArray(row) ? row[0] : undefined));
    inside(times, { startMs, endMs: of.endMs }, `${path} of ${of.symbol} ${of.interval}`);
    if (times.length > 0 || bodies.length === 0) bodies.push(bytes);
    lastMs = times.at(-1) ?? lastMs;
    if (lastMs === undefined || times.length < limit) break;
    startMs = lastMs + 1;
  }
  return { bodies, lastMs };
}

/** A day has 24 of them at most, so one page is always enough. */
const FUNDING_PAGE = 1000;

/** The funding rates of a span, as the body of the answer. @throws as `fetchKlines` does. */
export async function fetchFunding(
  client: RestClient,
  of: Span & { readonly market: Market; readonly symbol: string; readonly also: Limiter | undefined },
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { symbol, startMs, endMs } = of;
  const path = `${endpoints[of.market].root}/fundingRate`;
  const query = { symbol, startTime: startMs, endTime: endMs - 1, limit: FUNDING_PAGE };
  const { bytes, json } = await client.get({ path, query, weight: 1, also: of.also, signal });
  const times = timesOf(json, path, (row) =>
    typeof row === 'object' && row !== null && 'fundingTime' in row ? row.fundingTime : undefined,
  );
  inside(times, of, `${path} of ${symbol}`);
  return bytes;
}

function timesOf(json: unknown, path: string, timeOf: (row: unknown) => unknown): number[] {
  if (!Array.isArray(json)) throw unexpected(path, 'a list was expected');
  return json.map((row: unknown) => {
    const time = timeOf(row);
    if (typeof time === 'number' && Number.isSafeInteger(time)) return time;
    throw unexpected(path, `a row without a time: ${JSON.stringify(row).slice(0, 200)}`);
  });
}

/** The exchange moves a start before the listing without saying so, and ignores times that it does not like. */
function inside(times: readonly number[], { startMs, endMs }: Span, what: string): void {
  const odd = times.find((time, i) => time < startMs || time >= endMs || time <= (times[i - 1] ?? -1));
  if (odd === undefined) return;
  const [from, to, found] = [startMs, endMs, odd].map((ms) => new Date(ms).toISOString());
  throw new LakehouseError('rest-other-range', `${what} was asked from ${from} to ${to}, and the answer has ${found}`, {
    kind: 'data',
    hint: 'The exchange may not have had this symbol then.',
  });
}
