import { z } from 'zod';

const httpUrl = () => z.url({ protocol: /^https?$/, error: 'Expected an http or https URL' });

const intervals = [
  '1s',
  '1m',
  '3m',
  '5m',
  '15m',
  '30m',
  '1h',
  '2h',
  '4h',
  '6h',
  '8h',
  '12h',
  '1d',
  '3d',
  '1w',
  '1mo',
] as const;

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
            .array(z.string().regex(/^[^\sa-z/,=]+$/u, 'A symbol is upper case, without spaces and slashes'))
            .min(1)
            .default(['BTCUSDT', 'ETHUSDT'])
            .meta({ description: "Symbols, or globs of symbols such as '*USDT'; '*' means all." }),
          intervals: z
            .array(z.enum(intervals))
            .min(1)
            .default(['1m', '1h'])
            .meta({ description: `Lengths of the candles: ${intervals.join(', ')}.` }),
          start: z.iso.date().default('2017-08-01').meta({ description: 'First date (UTC) that is fetched.' }),
        })
        .meta({ description: 'Binance.' }),
    })
    .meta({ description: 'Where market data comes from.' }),
};
