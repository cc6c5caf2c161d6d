import { defineLakehouse } from 'crypto-lakehouse';
import { bronzeTrades } from './bronze/trades.ts';
import { goldDaily } from './gold/daily.ts';
import { inboxTrades } from './inbox.ts';
import { silverTrades } from './silver/trades.ts';

export const lakehouse = defineLakehouse({
  assets: [inboxTrades, bronzeTrades, silverTrades, goldDaily],
});
