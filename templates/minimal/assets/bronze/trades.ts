import { asset, writeZip, zipCsv } from 'crypto-lakehouse';
import { date, symbol } from '../dimensions.ts';
import { inboxTrades } from '../inbox.ts';

/** What arrived, byte for byte; `keepWithdrawn`: also when it is gone from the inbox. */
export const bronzeTrades = asset('bronze/trades', {
  description: 'The files as they came, one zip per symbol and day.',
  partitions: { symbol, date },
  inputs: { inbox: inboxTrades },
  format: zipCsv({ columns: ['id', 'time', 'price', 'amount'] }),
  keepWithdrawn: true,
  // The same bytes make the same zip, so its time is fixed.
  compute: async ({ inputs, partition }) =>
    writeZip(`${partition.values.date}.csv`, await inputs.inbox.bytes(), { modified: new Date('2024-01-01') }),
});
