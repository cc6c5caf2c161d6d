import { asset, zipCsv } from 'crypto-lakehouse';
import { date, exchange, interval, market, month, symbol } from '../dimensions.ts';
import { binanceKlinesDaily, binanceKlinesMonthly } from '../exchanges/binance/source.ts';
import { candleAsset, klineText } from '../klines.ts';

const original = {
  ...candleAsset,
  kinds: ['zip', 'csv'],
  format: zipCsv({ columns: klineText }),
  // A record of what was once published does not end because the exchange takes it down.
  keepWithdrawn: true,
  // No `retry`: downloads are what the setting workflow.retryAttempts is about.
  pool: 'binance_archive',
} as const;

/** The source has verified the bytes against their CHECKSUM already. */
export const bronzeKlinesDaily = asset('bronze/klines_daily', {
  ...original,
  description: 'Zips of one day of candles, byte for byte as the archive has them, verified against their CHECKSUM.',
  partitions: { exchange, market, symbol, interval, date },
  inputs: { archive: binanceKlinesDaily },
  compute: ({ inputs }) => inputs.archive.bytes(),
});

export const bronzeKlinesMonthly = asset('bronze/klines_monthly', {
  ...original,
  description: 'Zips of one month of candles, byte for byte as the archive has them, verified against their CHECKSUM.',
  partitions: { exchange, market, symbol, interval, month },
  inputs: { archive: binanceKlinesMonthly },
  compute: ({ inputs }) => inputs.archive.bytes(),
});
