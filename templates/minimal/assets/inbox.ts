import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { source } from 'crypto-lakehouse';
import { date, symbol } from './dimensions.ts';

const inbox = new URL('../inbox/', import.meta.url);

async function readDay(symbol: string, date: string) {
  const bytes = await readFile(new URL(`${symbol}/${date}.csv`, inbox));
  return { bytes, version: createHash('sha256').update(bytes).digest('hex') };
}

/** What somebody else writes: `observe` says what is there, `read` fetches one partition of it. */
export const inboxTrades = source('inbox/trades', {
  description: 'CSV files of trades, one per symbol and day: inbox/BTC-EUR/2024-01-01.csv.',
  partitions: { symbol, date },
  observe: async function* ({ wants }) {
    for (const symbol of await readdir(inbox)) {
      if (!wants('symbol', symbol)) continue;
      for (const file of await readdir(new URL(`${symbol}/`, inbox))) {
        const date = file.replace('.csv', '');
        const { bytes, version } = await readDay(symbol, date);
        yield { partition: { symbol, date }, version, bytes: bytes.length };
      }
    }
  },
  read: ({ partition }) => readDay(partition.values.symbol, partition.values.date),
});
