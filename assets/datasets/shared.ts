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
