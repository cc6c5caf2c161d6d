import { sql, view } from 'crypto-lakehouse';
import { silverLongKlines } from '../datasets/long_klines.ts';
import { silverKlines } from './klines.ts';

/** By name, so that it has whatever columns candles have. */
export const allKlines = view('silver/all_klines', {
  description: 'Candles of all intervals, those longer than a day with the date on which they open.',
  inputs: { short: silverKlines, long: silverLongKlines },
  query: ({ short, long }) => sql`
    SELECT * FROM ${short}
    UNION ALL BY NAME
    SELECT * EXCLUDE (${long.month}), ${long.open_time}::DATE AS date FROM ${long}`,
});
