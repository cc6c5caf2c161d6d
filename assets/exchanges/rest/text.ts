import { columns, text } from 'crypto-lakehouse';
import { marketData } from '../../datasets/shared.ts';

const given = (what: string) => text().describe(`${what}, as text.`);
const absent = (what: string) => text().nullable().describe(`${what}, as text; NULL where the exchange has none.`);

/**
 * The candles of any exchange before they are typed: the columns of a kline file, in the words and units of `silver/klines`.
 * What an exchange does not publish is NULL.
 */
export const klineTextTable = {
  ...marketData,
  group: 'klines',
  kinds: ['table', 'sql'],
  columns: columns({
    open_time: given('Start of the bar, in milliseconds since 1970 UTC'),
    open: given('Price of the first trade'),
    high: given('Highest price'),
    low: given('Lowest price'),
    close: given('Price of the last trade'),
    volume: given('Amount traded in the base asset'),
    close_time: absent('End of the bar'),
    quote_volume: absent('Amount traded in the quote asset'),
    count: absent('Number of trades'),
    taker_buy_volume: absent('The part of volume in which the buyer was the taker'),
    taker_buy_quote_volume: absent('The part of quote_volume in which the buyer was the taker'),
    ignore: text().nullable().describe('Only Binance has it, and says nothing with it.'),
  }),
  sortBy: ['open_time'],
} as const;

/** What originals of REST answers have in common. */
export const answers = {
  ...marketData,
  group: 'klines',
  kinds: ['json'],
  // A record of what was once answered does not end because the exchange no longer has it.
  keepWithdrawn: true,
} as const;
