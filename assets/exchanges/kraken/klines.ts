import { asset, json, LakehouseError, type SqlTemplate, source, sql } from 'crypto-lakehouse';
import { date, exchange, interval, market, symbol } from '../../dimensions.ts';
import { candleAsset } from '../../klines.ts';
import { exactly, type TextColumn } from '../../silver/exact.ts';
import { type RestCandles, restKlines } from '../rest/klines.ts';
import { answers, klineTextTable } from '../rest/text.ts';

/** Whatever is asked for, these many candles up to now are all there is, the open one included. */
const MAX_CANDLES = 720;

const candles: RestCandles = {
  exchange: 'kraken',
  symbols: async (client, call) => {
    const { json: answer, serverMs } = await client.get('/0/public/AssetPairs', call);
    const { result } = (answer ?? {}) as { readonly result?: unknown };
    if (typeof result !== 'object' || result === null) {
      throw new LakehouseError('rest-answer', 'Kraken answered /0/public/AssetPairs without a result', {
        kind: 'data',
      });
    }
    // By the short name, which is what people write and what candles are asked for by; .d are dark pools.
    const symbols = Object.values(result).flatMap((pair: unknown) => {
      const { altname } = (pair ?? {}) as { readonly altname?: unknown };
      return typeof altname === 'string' && !altname.endsWith('.d') ? [altname] : [];
    });
    return { symbols, serverMs };
  },
  reachMs: (barMs) => (MAX_CANDLES - 1) * barMs,
  fetchDay: async (client, { symbol, barMs, startMs }, call) => {
    // `since` may mean that candle or those after it.
    const query = { pair: symbol, interval: barMs / 60_000, since: startMs / 1000 - 1 };
    const { bytes, json: answer } = await client.get('/0/public/OHLC', { ...call, query });
    const { result } = (answer ?? {}) as { readonly result?: unknown };
    const rows = Object.values(result ?? {}).flatMap((own: unknown) => (Array.isArray(own) ? own : []));
    return { bytes, opens: rows.map((row: unknown) => (Array.isArray(row) ? row[0] : undefined)) };
  },
};

const partitions = { exchange, market, symbol, interval, date };

export const krakenKlinesRest = source('kraken/klines_rest', {
  ...candleAsset,
  ...restKlines(candles),
  description:
    "Kraken's spot candles by REST: closed days, of pairs such as XBTUSD, as far back as its last 720 candles reach.",
  partitions,
});

/** An answer's rows: its result has them under the name that Kraken itself gives the pair (XXBTZUSD where XBTUSD was asked for). */
export const krakenAnswer = json({
  columns: ['time', 'open', 'high', 'low', 'close', 'vwap', 'volume', 'count'],
  rows: 'result.*',
});

export const bronzeKrakenKlines = asset('bronze/kraken_klines', {
  ...answers,
  description: "Kraken's answer with one day of candles and all later ones, byte for byte as received.",
  partitions,
  inputs: { rest: krakenKlinesRest },
  pool: 'kraken',
  format: krakenAnswer,
  compute: ({ inputs }) => inputs.rest.bytes(),
});

/** The candles in Kraken's answers, as the columns of `klineTextTable`. */
export function krakenText(
  row: Readonly<Record<'time' | 'open' | 'high' | 'low' | 'close' | 'volume' | 'count', TextColumn>>,
): SqlTemplate {
  return sql`
      ${row.time} || '000' AS open_time, ${row.open} AS open, ${row.high} AS high, ${row.low} AS low, ${row.close} AS close,
      ${row.volume} AS volume, NULL::VARCHAR AS close_time, NULL::VARCHAR AS quote_volume,
      ${exactly(row.time).integer(row.count)}::VARCHAR AS count,
      NULL::VARCHAR AS taker_buy_volume, NULL::VARCHAR AS taker_buy_quote_volume,
      NULL::VARCHAR AS ignore`;
}

export const bronzeKrakenKlineText = asset('bronze/kraken_kline_text', {
  ...klineTextTable,
  description: "Kraken's candles of one day in the columns of silver/klines, still as text.",
  partitions,
  inputs: { raw: bronzeKrakenKlines },
  query: ({ raw }, { partition }) => sql`
    SELECT ${krakenText(raw)} FROM ${raw}
    WHERE ${exactly(raw.time).seconds(raw.time)} >= ${partition.start} AND ${exactly(raw.time).seconds(raw.time)} < ${partition.end}`,
});
