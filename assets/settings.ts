import { z } from 'zod';
import { coinbaseSettings } from './exchanges/coinbase/settings.ts';
import { krakenSettings } from './exchanges/kraken/settings.ts';

const httpUrl = () => z.url({ protocol: /^https?$/, error: 'Expected an http or https URL' });

const barIntervals = ['1s', '1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d'] as const;
const intervals = [...barIntervals, '3d', '1w', '1mo'] as const;

/** Kinds of data, in the words of `lakehouse ingest`. */
const dataTypes = [
  'klines',
  'mark_price_klines',
  'index_price_klines',
  'premium_index_klines',
  'funding_rates',
  'liquidations',
  'agg_trades',
  'trades',
  'book_ticker',
  'book_depth',
  'metrics',
] as const;

/** The settings of the crypto lakehouse, beside those of the framework. */
export const settings = {
  exchanges: z
    .object({
      binance: z
        .object({
          enabled: z.boolean().default(true).meta({ description: 'Whether data of this exchange is fetched.' }),
          archive: z
            .object({
              baseUrl: httpUrl()
                .default('https://data.binance.vision')
                .meta({ description: 'Where the files of the public archive are downloaded.' }),
              listUrl: httpUrl()
                .default('https://s3-ap-northeast-1.amazonaws.com/data.binance.vision')
                .meta({ description: 'Where the archive is listed (S3 ListObjects).' }),
              directory: z.string().min(1).optional().meta({
                description: "A local mirror in the layout of the archive's bucket; read instead of the URLs.",
                path: true,
              }),
              timeoutMs: z
                .int()
                .positive()
                .default(30_000)
                .meta({ description: 'Milliseconds that a request may take.' }),
              concurrency: z.int().positive().default(8).meta({ description: 'Most requests at once.' }),
              simulated: z.boolean().default(false).meta({
                description: 'The archive is a simulation; its data never shares a directory with real data.',
              }),
            })
            .meta({ description: 'The public archive of Binance.' }),
          rest: z
            .object({
              enabled: z.boolean().default(false).meta({
                description:
                  'Whether days that the archive does not have yet are asked for. Many places are refused (451).',
              }),
              days: z.int().positive().max(180).default(7).meta({ description: 'How many closed days back (UTC).' }),
              baseUrls: z
                .object({
                  spot: httpUrl().default('https://api.binance.com').meta({ description: 'Spot.' }),
                  um: httpUrl().default('https://fapi.binance.com').meta({ description: 'USD-M futures.' }),
                  cm: httpUrl().default('https://dapi.binance.com').meta({ description: 'COIN-M futures.' }),
                })
                .meta({ description: 'Where each market answers.' }),
              timeoutMs: z
                .int()
                .positive()
                .default(30_000)
                .meta({ description: 'Milliseconds that an answer may take.' }),
              concurrency: z
                .int()
                .positive()
                .default(4)
                .meta({ description: 'Most requests at once, of each market.' }),
            })
            .meta({ description: 'The REST interface of Binance.' }),
          dataTypes: z
            .array(z.enum(dataTypes))
            .min(1)
            .default(['klines'])
            .meta({ description: `Kinds of data: ${dataTypes.join(', ')}.` }),
          markets: z
            .array(z.enum(['spot', 'um', 'cm']))
            .min(1)
            .default(['spot'])
            .meta({ description: 'Markets: spot, um (USD-M futures), cm (COIN-M futures).' }),
          symbols: z
            .array(z.string().regex(/^!?[^!\sa-z/,=]+$/u, 'A symbol is upper case, without spaces and slashes'))
            .min(1)
            .default(['BTCUSDT', 'ETHUSDT'])
            .meta({
              description:
                "Symbols, or globs of symbols such as '*USDT'; '*' means all, those that begin with ! exclude.",
            }),
          quoteAssets: z
            .array(z.string().regex(/^[^\sa-z/,=*?!]+$/u, 'An asset is upper case, e.g. USDT'))
            .default([])
            .meta({
              description: 'Only symbols quoted in these assets, e.g. USDT; COIN-M contracts are quoted in USD.',
            }),
          contractTypes: z
            .array(z.enum(['perpetual', 'delivery']))
            .min(1)
            .default(['perpetual', 'delivery'])
            .meta({ description: 'Contracts of futures: perpetual, delivery (those with a date, BTCUSDT_240628).' }),
          excludeStablecoins: z
            .boolean()
            .default(false)
            .meta({ description: 'Without pairs of a stablecoin against another, such as USDCUSDT.' }),
          excludeLeveraged: z
            .boolean()
            .default(false)
            .meta({ description: 'Without leveraged tokens such as BTCUPUSDT, all of them delisted.' }),
          intervals: z
            .array(z.enum(intervals))
            .min(1)
            .default(['1m', '1h'])
            .meta({ description: `Lengths of the candles: ${intervals.join(', ')}.` }),
          start: z.iso.date().default('2017-08-01').meta({ description: 'First date (UTC) that is fetched.' }),
        })
        .meta({ description: 'Binance.' }),
      coinbase: coinbaseSettings,
      kraken: krakenSettings,
    })
    .meta({ description: 'Where market data comes from.' }),
  gold: z
    .object({
      intervals: z.array(z.enum(barIntervals)).default([]).meta({
        description:
          'Lengths of bars that are computed (of shorter candles, trades, quotes or liquidations) beside those of the exchanges, and not fetched.',
      }),
    })
    .meta({ description: 'What is computed of it.' }),
};

/** The settings of the crypto lakehouse, in force. */
export type Settings = { readonly [K in keyof typeof settings]: z.output<(typeof settings)[K]> };
