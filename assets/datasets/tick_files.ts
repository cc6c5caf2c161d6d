import { type CheckSpec, check, sql } from 'crypto-lakehouse';
import { marketData } from './shared.ts';

// Trades and quotes, event by event: daily files first. A month of a busy symbol is gigabytes in one zip, and would be opened whole
// for each of its days that changes; it is read where the daily file is lacking.
//
// A file with a line twice fails its day with `duplicate-rows`: the monthly file takes its place, where there is one, only when the daily one
// itself cannot be read. It comes back when the exchange mends the file.

/** What all assets of trades have in common. */
export const tradeAsset = { ...marketData, group: 'trades' } as const;

/** What is said of a column of flags that spot files alone have. */
export const bestMatch =
  'Whether the price was the best there was, as published; NULL for futures, whose files do not say.';

/** Numbered events follow each other without holes: a warning, as real files have some that nothing explains. */
export const numbered = <const TColumn extends string>(column: TColumn): CheckSpec<TColumn> =>
  check(
    `no_gaps_${column}`,
    [column],
    ({ rows }) => {
      const id = sql.identifier(column);
      return sql`SELECT min(${id}) AS first, max(${id}) AS last, count(*) AS rows FROM ${rows} HAVING max(${id}) - min(${id}) + 1 <> count(*)`;
    },
    { severity: 'warn', description: 'Within a day numbers follow each other without holes.' },
  );
