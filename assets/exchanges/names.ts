/** All exchanges, in the order in which they were added. */
export const exchanges = ['binance', 'coinbase', 'kraken'] as const;
