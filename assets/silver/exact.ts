import { type SqlTemplate, sql } from 'crypto-lakehouse';
import type { SqlValue } from '../klines.ts';

/** A text column of the input. */
export type TextColumn = SqlValue & { readonly name: string };

// A cast alone is not enough: DuckDB rounds 1.123456789 to fit a DECIMAL(…, 8), reads 1.7E+12 as a whole number and 1.6 as the
// integer 2. Here every text is read exactly or refused by an error that shows it.

/** Plain decimal notation with at most 8 decimals. */
const plain = (column: TextColumn): SqlTemplate =>
  sql`(strpos(${column}, '.') = 0 OR strlen(${column}) - strpos(${column}, '.') <= 8) AND NOT contains(${column}, 'e') AND NOT contains(${column}, 'E')`;

/** Whether the text is an integer written as DuckDB would: digits, no sign, point, exponent or leading zero. */
const isInteger = (column: TextColumn): SqlTemplate => sql`try_cast(${column} AS BIGINT)::VARCHAR = ${column}`;

/**
 * Readers of text columns that refuse what they cannot read exactly, also an empty field.
 * @param key the column that tells in the error which row it is.
 * @param blank whether an empty field of the row is NULL instead: where the exchange has nothing to say there.
 */
export function exactly(key: TextColumn, blank?: SqlTemplate) {
  const refuse = (column: TextColumn, expected: string): SqlTemplate =>
    blank === undefined
      ? refused(column, expected)
      : sql`CASE WHEN ${column} IS NULL AND ${blank} THEN NULL ELSE ${refused(column, expected)} END`;
  /** Refuses a row: the error names the column, its text and the row. Always an error, whatever is NULL. */
  const refused = (column: TextColumn, expected: string): SqlTemplate =>
    sql`error(${`${column.name} is `} || coalesce('''' || ${column} || '''', 'empty') || ${` in the row with ${key.name} `} || coalesce(${key}, '(empty)') || ${`: expected ${expected}`})`;
  return {
    /** Text to DECIMAL(18,8). */
    price: (column: TextColumn): SqlTemplate =>
      sql`coalesce(CASE WHEN ${plain(column)} THEN try_cast(${column} AS DECIMAL(18,8)) END, ${refuse(column, 'a number below 1e10 in size with at most 8 decimals')})`,

    /** Text to DECIMAL(38,8), by way of DECIMAL(18,8) where it fits: that is 30 times faster. */
    amount: (column: TextColumn): SqlTemplate =>
      sql`coalesce(CASE WHEN ${plain(column)} THEN coalesce(try_cast(${column} AS DECIMAL(18,8))::DECIMAL(38,8), try_cast(${column} AS DECIMAL(38,8))) END, ${refuse(column, 'a number with at most 8 decimals')})`,

    /** Text padded with zeros beyond 8 decimals to DECIMAL(38,8): the zeros say nothing, other digits are refused. */
    padded: (column: TextColumn): SqlTemplate =>
      sql`coalesce(CASE WHEN regexp_full_match(${column}, '-?[0-9]+(\\.[0-9]{0,8}0*)?') THEN try_cast(${column} AS DECIMAL(38,8)) END, ${refuse(column, 'a number with at most 8 decimals that are not zero')})`,

    /** Text with at most 2 decimals, below 1000 in size, to DECIMAL(5,2). */
    hundredths: (column: TextColumn): SqlTemplate =>
      sql`coalesce(CASE WHEN regexp_full_match(${column}, '-?[0-9]+(\\.[0-9]{1,2})?') THEN try_cast(${column} AS DECIMAL(5,2)) END, ${refuse(column, 'a number below 1000 in size with at most 2 decimals')})`,

    /**
     * A number of at most 8 decimals that was a floating-point one on its way (`2.2357688599999963`) to the DECIMAL(38,8) that it was,
     * whether written `0.00001` or `1e-5`. The noise of a sum of many is up to a part in 1e12; what is farther from 8 decimals is another number.
     */
    nearly: (column: TextColumn): SqlTemplate =>
      sql`coalesce(CASE WHEN abs(try_cast(${column} AS DOUBLE) - try_cast(${column} AS DECIMAL(38,8))::DOUBLE) <= least(abs(try_cast(${column} AS DOUBLE)) * 1e-12, 2e-9) THEN try_cast(${column} AS DECIMAL(38,8)) END, ${refuse(column, 'a number with at most 8 decimals, but for the noise of floating point')})`,

    /** Text to BIGINT. */
    integer: (column: TextColumn): SqlTemplate =>
      sql`CASE WHEN ${isInteger(column)} THEN ${column}::BIGINT ELSE ${refuse(column, 'an integer')} END`,

    /** `true`, `True`, `false`, `False` to BOOLEAN. */
    flag: (column: TextColumn): SqlTemplate =>
      sql`CASE WHEN ${column} IN ('true', 'True') THEN TRUE WHEN ${column} IN ('false', 'False') THEN FALSE ELSE CAST(${refuse(column, 'true or false')} AS BOOLEAN) END`,

    /** One of these words. */
    word: (column: TextColumn, words: readonly string[]): SqlTemplate =>
      sql`CASE WHEN ${column} IN (${sql.join(words)}) THEN ${column} ELSE ${refuse(column, words.join(' or '))} END`,

    /** The text that must stand there. */
    same: (column: TextColumn, expected: SqlValue): SqlTemplate =>
      sql`CASE WHEN ${column} = ${expected} THEN ${column} ELSE ${refuse(column, 'that of the file')} END`,

    /**
     * Milliseconds (13 digits) or microseconds (16 digits) since 1970 to a TIMESTAMP in whole milliseconds. Decided value by value:
     * the change was not on one day for all markets. What microseconds add to candles is no information (000 in open times, 999 in
     * close times), and without it equal candles are equal rows wherever they come from.
     */
    time: (column: TextColumn): SqlTemplate =>
      sql`make_timestamp(CASE WHEN strlen(${column}) = 13 AND ${isInteger(column)} THEN ${column}::BIGINT * 1000 WHEN strlen(${column}) = 16 AND ${isInteger(column)} THEN ${column}::BIGINT // 1000 * 1000 ELSE ${refuse(column, 'milliseconds (13 digits) or microseconds (16 digits) since 1970')} END)`,

    /** The same, keeping microseconds: for events, where they do say something. */
    instant: (column: TextColumn): SqlTemplate =>
      sql`make_timestamp(CASE WHEN strlen(${column}) = 13 AND ${isInteger(column)} THEN ${column}::BIGINT * 1000 WHEN strlen(${column}) = 16 AND ${isInteger(column)} THEN ${column}::BIGINT ELSE ${refuse(column, 'milliseconds (13 digits) or microseconds (16 digits) since 1970')} END)`,

    /** Seconds (10 digits) since 1970 to a TIMESTAMP. */
    seconds: (column: TextColumn): SqlTemplate =>
      sql`make_timestamp(CASE WHEN strlen(${column}) = 10 AND ${isInteger(column)} THEN ${column}::BIGINT * 1000000 ELSE ${refuse(column, 'seconds (10 digits) since 1970')} END)`,

    /** `2023-06-25 00:05:00`, which the exchange writes in UTC, to a TIMESTAMP. */
    written: (column: TextColumn): SqlTemplate =>
      sql`coalesce(try_strptime(${column}, '%Y-%m-%d %H:%M:%S'), CAST(${refuse(column, 'a time like 2023-06-25 00:05:00')} AS TIMESTAMP))`,
  };
}

/** What is read where there is something, NULL where the field is empty. */
export const orNull = (column: TextColumn, read: (column: TextColumn) => SqlTemplate): SqlTemplate =>
  sql`CASE WHEN ${column} IS NOT NULL AND ${column} <> '' THEN ${read(column)} END`;
