import { type SqlTemplate, type SqlValue, sql } from 'crypto-lakehouse';

/** US dollars that a contract of a COIN-M symbol stands for: 100 for BTC, 10 for all others. */
export const contractUsd = (symbol: SqlValue): SqlTemplate =>
  sql`CASE WHEN starts_with(${symbol}, 'BTCUSD_') THEN 100 ELSE 10 END`;

/** What was traded at one price, as the exchange counts it: in the base asset, cm: in contracts. */
interface Traded {
  readonly quantity: SqlValue;
  readonly price: SqlValue;
  readonly market: SqlValue;
  readonly symbol: SqlValue;
}

/** In the base asset in every market, DECIMAL(38,16): sums do not depend on their order. cm: contracts × USD / price, rounded. */
export const baseAmount = ({ quantity, price, market, symbol }: Traded): SqlTemplate =>
  sql`CASE WHEN ${market} = 'cm' THEN (${quantity} * ${contractUsd(symbol)} / nullif(${price}, 0))::DECIMAL(38,16) ELSE ${quantity}::DECIMAL(38,16) END`;

/** In the quote asset in every market (cm: USD), exact, DECIMAL(38,16). */
export const quoteAmount = ({ quantity, price, market, symbol }: Traded): SqlTemplate =>
  sql`CASE WHEN ${market} = 'cm' THEN (${quantity} * ${contractUsd(symbol)})::DECIMAL(38,16) ELSE (${quantity} * ${price})::DECIMAL(38,16) END`;

/** For descriptions of columns: what amounts are in after the above. */
export const inBase = 'in the base asset in every market';
export const inQuote =
  'in the quote asset in every market (cm: USD, contracts times 100 for BTC and 10 for all others)';
