import type { SqlReference } from 'crypto-lakehouse';

/** What all assets of market data have in common. */
export const marketData = {
  owners: ['data'],
  tags: { domain: 'market-data' },
} as const;

/** What all assets of original files of the archive have in common. */
export const original = {
  kinds: ['zip', 'csv'],
  // A record of what was once published does not end because the exchange takes it down.
  keepWithdrawn: true,
  // No `retry`: downloads are what the setting workflow.retryAttempts is about.
  pool: 'binance_archive',
} as const;

/** What all assets of answers of Binance's REST interface have in common. */
export const answered = {
  kinds: ['json'],
  keepWithdrawn: true,
  pool: 'binance_rest',
} as const;

/** A value of a check's partition. @throws TypeError where the asset has no such dimension. */
export function partitionValue(partition: Readonly<Record<string, SqlReference>>, name: string): SqlReference {
  const value = partition[name];
  if (value === undefined) throw new TypeError(`These partitions have no ${name}`);
  return value;
}
