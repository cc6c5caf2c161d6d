import { asset, json, jsonSequence, LakehouseError, type SqlTemplate, source, sql } from 'crypto-lakehouse';
import { date, exchange, interval, market, symbol } from '../../dimensions.ts';
import { candleAsset } from '../../klines.ts';
import { exactly, type TextColumn } from '../../silver/exact.ts';
import type { RestCall, RestClient } from '../rest/client.ts';
import { type CandleAnswer, type CandleDay, type RestCandles, restKlines } from '../rest/klines.ts';
import { answers, klineTextTable } from '../rest/text.ts';

const DAY_MS = 86_400_000;
/** Candles in one answer; a request for more is refused. */
const MAX_CANDLES = 300;

/** A day in as many requests as it takes, each with both ends: start and end are the first and last candle wanted. */
async function fetchDay(
  client: RestClient,
  { symbol, barMs, startMs }: CandleDay,
  call: RestCall,
): Promise<CandleAnswer> {
  const endMs = startMs + DAY_MS;
  const starts: number[] = [];
  for (let at = startMs; at < endMs; at += MAX_CANDLES * barMs) starts.push(at);
  const path = `/products/${encodeURIComponent(symbol)}/candles`;
  const answers = await Promise.all(
    starts.map(async (from) => {
      const to = Math.min(from + MAX_CANDLES * barMs, endMs) - barMs;
      const query = { granularity: barMs / 1000, start: iso(from), end: iso(to) };
      const { bytes, json: body } = await client.get(path, { ...call, query });
      return Array.isArray(body) ? { bytes, rows: body as unknown[] } : unexpected(path);
    }),
  );
  const opens = answers.flatMap(({ rows }) => rows.map((row) => (Array.isArray(row) ? row[0] : undefined)));
  return { bytes: jsonSequence(answers.map(({ bytes }) => bytes)), opens };
}

const iso = (ms: number): string => new Date(ms).toISOString();

function unexpected(what: string): never {
  throw new LakehouseError('rest-answer', `Coinbase answered ${what} with something else than a list`, {
    kind: 'data',
  });
}

const candles: RestCandles = {
  exchange: 'coinbase',
  symbols: async (client, call) => {
    const { json: products, serverMs } = await client.get('/products', call);
    if (!Array.isArray(products)) return unexpected('/products');
    const symbols = products.flatMap((product: unknown) => {
      const { id } = (product ?? {}) as { readonly id?: unknown };
      return typeof id === 'string' ? [id] : [];
    });
    return { symbols, serverMs };
  },
  fetchDay,
};

const partitions = { exchange, market, symbol, interval, date };

export const coinbaseKlinesRest = source('coinbase/klines_rest', {
  ...candleAsset,
  ...restKlines(candles),
  description: "Coinbase's spot candles by REST: closed days, of products such as BTC-USD.",
  partitions,
});

/** An answer's rows. */
export const coinbaseAnswer = json({ columns: ['time', 'low', 'high', 'open', 'close', 'volume'] });

export const bronzeCoinbaseKlines = asset('bronze/coinbase_klines', {
  ...answers,
  description: "Coinbase's answers with one day of candles, byte for byte as received.",
  partitions,
  inputs: { rest: coinbaseKlinesRest },
  pool: 'coinbase',
  format: coinbaseAnswer,
  compute: ({ inputs }) => inputs.rest.bytes(),
});

/** The candles in Coinbase's answers, as the columns of `klineTextTable`. Numbers have been floating-point ones on their way. */
export function coinbaseText(
  row: Readonly<Record<'time' | 'low' | 'high' | 'open' | 'close' | 'volume', TextColumn>>,
): SqlTemplate {
  const { nearly } = exactly(row.time);
  return sql`
      ${row.time} || '000' AS open_time,
      ${nearly(row.open)}::VARCHAR AS open,
      ${nearly(row.high)}::VARCHAR AS high,
      ${nearly(row.low)}::VARCHAR AS low,
      ${nearly(row.close)}::VARCHAR AS close,
      ${nearly(row.volume)}::VARCHAR AS volume,
      NULL::VARCHAR AS close_time, NULL::VARCHAR AS quote_volume, NULL::VARCHAR AS count, NULL::VARCHAR AS taker_buy_volume, NULL::VARCHAR AS taker_buy_quote_volume,
      NULL::VARCHAR AS ignore`;
}

export const bronzeCoinbaseKlineText = asset('bronze/coinbase_kline_text', {
  ...klineTextTable,
  description:
    "Coinbase's candles in the columns of silver/klines, still as text, without the noise of floating point.",
  partitions,
  inputs: { raw: bronzeCoinbaseKlines },
  // An answer may begin before what was asked for, so candles come twice.
  query: ({ raw }, { partition }) => sql`
    SELECT DISTINCT ${coinbaseText(raw)} FROM ${raw}
    WHERE ${exactly(raw.time).seconds(raw.time)} >= ${partition.start} AND ${exactly(raw.time).seconds(raw.time)} < ${partition.end}`,
});
