import { asset, json, zipCsv } from 'crypto-lakehouse';
import { answered, original } from '../datasets/shared.ts';
import { date, exchange, interval, market, month, symbol } from '../dimensions.ts';
import { binanceKlinesDaily, binanceKlinesMonthly, binanceKlinesRest } from '../exchanges/binance/klines.ts';
import { candleAsset, klineText } from '../klines.ts';

const common = {
  ...candleAsset,
  ...original,
  format: zipCsv({ columns: klineText }),
} as const;

/** The source has verified the bytes against their CHECKSUM already. */
export const bronzeKlinesDaily = asset('bronze/klines_daily', {
  ...common,
  description: 'Zips of one day of candles, byte for byte as the archive has them, verified against their CHECKSUM.',
  partitions: { exchange, market, symbol, interval, date },
  inputs: { archive: binanceKlinesDaily },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const bronzeKlinesMonthly = asset('bronze/klines_monthly', {
  ...common,
  description: 'Zips of one month of candles, byte for byte as the archive has them, verified against their CHECKSUM.',
  partitions: { exchange, market, symbol, interval, month },
  inputs: { archive: binanceKlinesMonthly },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const bronzeKlinesRest = asset('bronze/klines_rest', {
  ...candleAsset,
  ...answered,
  description:
    'Answers of REST that hold one day of candles, byte for byte as received, fetched where the archive has no file yet.',
  partitions: { exchange, market, symbol, interval, date },
  inputs: { rest: binanceKlinesRest },
  format: json({ columns: klineText }),
  compute: ({ inputs }) => inputs.rest.bytes(),
});
