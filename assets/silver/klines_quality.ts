import {
  asset,
  columns,
  from,
  ifPresent,
  integer,
  overlapping,
  rowsWhere,
  type SqlTemplate,
  sql,
  text,
  timestamp,
  view,
  window,
} from 'crypto-lakehouse';
import { bronzeKlinesDaily, bronzeKlinesMonthly, bronzeKlinesRest } from '../bronze/klines.ts';
import { exchange, interval, market, month, symbol } from '../dimensions.ts';
import { barInterval, candle, candleAsset, klineText, type SqlValue } from '../klines.ts';
import { type CandleText, candleColumns } from './candles.ts';
import { silverKlines } from './klines.ts';

// Nothing here makes up a bar. What is compared and what fills a hole is what the exchange published elsewhere: in the daily file, the
// monthly one, or in an answer of its REST interface, as far as they were fetched: for a comparison alone nothing is. By month, so that
// each file is read once, and when it is over: a running one would be read anew every day.

const partitions = { exchange, market, symbol, interval, month };

/** Whatever was fetched, best first. */
const published = {
  monthly: ifPresent(from(bronzeKlinesMonthly, { month: overlapping() })),
  daily: ifPresent(from(bronzeKlinesDaily, { date: overlapping() }), { ask: false }),
  rest: ifPresent(from(bronzeKlinesRest, { date: overlapping() }), { ask: false }),
} as const;

type Published = Readonly<Record<keyof typeof published, CandleText & SqlValue>>;

/** Bars of all sources as published, with the source's name and rank, and the time at which they open; each is read once. */
function bars({ monthly, daily, rest }: Published): SqlTemplate {
  const of = (source: string, rank: number, raw: Published['daily']) => {
    const { open_time } = raw;
    // What is no time is refused by silver/klines, which reads the same file.
    const us = sql`try_cast(${open_time} AS BIGINT) * CASE strlen(${open_time}) WHEN 13 THEN 1000 ELSE 1 END // 1000 * 1000`;
    return sql`SELECT ${source} AS source, ${rank} AS rank, make_timestamp(${us}) AS opens, ${raw.exchange} AS exchange, ${sql.join(
      klineText.map(
        (name) => sql`${(raw as unknown as Record<string, SqlValue>)[name] as SqlValue} AS ${sql.raw(`"${name}"`)}`,
      ),
    )} FROM ${raw}`;
  };
  return sql.join([of('monthly', 1, monthly), of('daily', 2, daily), of('rest', 3, rest)], ' UNION ALL ');
}

const compared = klineText.filter((name) => name !== 'open_time' && name !== 'ignore');

/** What a bar says, as one text: two that are the same text say the same. */
const said = sql.raw(`concat_ws('|', ${compared.map((name) => `coalesce("${name}", '')`).join(', ')})`);

/**
 * `close: 1.00 / 2.00` for each of the columns in which two bars differ in what they mean: not 1.0 and 1.00000000, nor milliseconds and
 * microseconds of one time. Empty where they do not differ.
 */
const differences = (best: string, other: string): SqlTemplate => {
  const parts = compared.map((name, i) => {
    const meant = (bar: string) => {
      const value = `str_split(${bar}, '|')[${i + 1}]`;
      return name === 'close_time'
        ? `left(${value}, 13)`
        : `coalesce(try_cast(${value} AS DECIMAL(38,8))::VARCHAR, ${value})`;
    };
    const [b, w] = [meant(best), meant(other)];
    return `CASE WHEN ${b} IS DISTINCT FROM ${w} THEN '${name}: ' || ${b} || ' / ' || ${w} END`;
  });
  return sql.raw(
    `CASE WHEN ${other} IS NULL OR ${best} = ${other} THEN '' ELSE concat_ws(', ', ${parts.join(', ')}) END`,
  );
};

export const silverKlinesReconciliation = asset('silver/klines_reconciliation', {
  ...candleAsset,
  description:
    'Where the monthly file, the daily files and REST do not say the same, as far as each was fetched: one row per bar and disagreement, none where all agree. Of months that are over.',
  kinds: ['table', 'sql'],
  partitions,
  inputs: published,
  columns: columns({
    open_time: timestamp().describe('Start of the bar, UTC.'),
    source: text().describe('Which source says otherwise: monthly, daily or rest.'),
    problem: text().describe(
      'missing: another source has this bar. differs: another value than in the best source. duplicate: the bar is there more than once.',
    ),
    best_source: text().describe('The best source that has the bar: monthly before daily before rest.'),
    detail: text()
      .nullable()
      .describe('differs: each column with the value of the best source / of this one. duplicate: how many.'),
  }),
  sortBy: ['open_time', 'source', 'problem'],
  timeColumn: 'open_time',
  checks: [
    rowsWhere('sources_agree', ['problem'], ({ problem }) => sql`${problem} IS NOT NULL`, {
      severity: 'warn',
      blocking: false,
      description: 'All sources of a bar say the same.',
    }),
  ],
  // One row for each bar with what each source says of it, as far as they do not say the same text. A day counts as fetched from a source that has a bar of it, and
  // a monthly file has all days of its month.
  query: (sources, { partition }) => {
    const n = (name: string, rank: number) => sql.raw(`${name}_${rank}`);
    const fetched = (rank: number) => (rank === 1 ? sql`OVER ()` : sql`OVER (PARTITION BY opens::DATE)`);
    const ranks = [1, 2, 3];
    return sql`
    SELECT opens AS open_time, s.source AS source, problem, best_source,
      CASE problem WHEN 'differs' THEN difference WHEN 'duplicate' THEN s.copies || ' times' END AS detail
    FROM (
      SELECT opens, best_source, s, difference, unnest([
        CASE WHEN s.copies = 0 AND s.fetched THEN 'missing' END,
        CASE WHEN s.copies > 0 AND difference <> '' THEN 'differs' END,
        CASE WHEN s.copies > 1 THEN 'duplicate' END
      ]) AS problem
      FROM (
        SELECT *, ${differences('best', 's.said')} AS difference
        FROM (
          SELECT
            opens,
            coalesce(said_1, said_2, said_3) AS best,
            CASE WHEN copies_1 > 0 THEN 'monthly' WHEN copies_2 > 0 THEN 'daily' ELSE 'rest' END AS best_source,
            unnest([${sql.join(
              ['monthly', 'daily', 'rest'].map((source, i) =>
                sql.raw(
                  `{source: '${source}', said: said_${i + 1}, copies: copies_${i + 1}, fetched: fetched_${i + 1}}`,
                ),
              ),
            )}]) AS s
          FROM (
            SELECT opens, min(said) AS least, max(said) AS greatest, ${sql.join(
              ranks.map(
                (rank) =>
                  sql`min(said) FILTER (WHERE rank = ${rank}) AS ${n('said', rank)}, count(*) FILTER (WHERE rank = ${rank}) AS ${n('copies', rank)}, bool_or(${n('fetched', rank)}) AS ${n('fetched', rank)}`,
              ),
            )}
            FROM (
              SELECT opens, rank, ${said} AS said, ${sql.join(ranks.map((rank) => sql`bool_or(rank = ${rank}) ${fetched(rank)} AS ${n('fetched', rank)}`))}
              FROM (${bars(sources)})
              WHERE opens >= ${partition.start} AND opens < ${partition.end}
            )
            GROUP BY opens
          )
          WHERE least <> greatest OR ${sql.join(
            ranks.map((rank) => sql`${n('copies', rank)} > 1 OR (${n('copies', rank)} = 0 AND ${n('fetched', rank)})`),
            ' OR ',
          )}
        )
      )
    )
    WHERE problem IS NOT NULL`;
  },
});

export const silverKlinesGaps = asset('silver/klines_gaps', {
  ...candleAsset,
  description:
    'Bars that are missing in silver/klines, as ranges, and what is known of why, up to the newest bar. Of months that are over. Days that are not published yet are no gaps: they are partitions that are awaited.',
  kinds: ['table', 'sql'],
  partitions,
  inputs: { klines: ifPresent(from(silverKlines, { date: window({ days: 1, ahead: { days: 1 } }) })), ...published },
  columns: columns({
    gap_start: timestamp().describe('Start of the first missing bar, UTC.'),
    gap_end: timestamp().describe('End (exclusive) of the last missing bar, or of the month.'),
    bars: integer().describe('How many bars are missing.'),
    kind: text().describe(
      'missing_in_source: another source has bars of it, see silver.klines_filled. outage: two sources or more have the month, and none has the bars. unconfirmed: only one source was fetched. before_listing: nothing is known from before.',
    ),
    sources: text().describe('The sources of the day on which the gap begins that were fetched, e.g. daily,monthly.'),
  }),
  sortBy: ['gap_start', 'kind'],
  timeColumn: 'gap_start',
  // Bars that open off the grid (the exchange had some after outages) stand for the slot in which they open.
  query: ({ klines, ...sources }, { partition }) => {
    const length = barInterval(partition);
    const slot = (time: SqlTemplate) => sql`time_bucket(${length}, ${time}, TIMESTAMP '1970-01-01')`;
    const fetched = (source: string, of: SqlTemplate) =>
      sql`CASE WHEN bool_or(source = ${source}) ${of} THEN ${source} END`;
    return sql`
    SELECT
      min(slot) AS gap_start,
      max(slot) + ${length} AS gap_end,
      count(*)::INTEGER AS bars,
      CASE WHEN elsewhere THEN 'missing_in_source' WHEN early THEN 'before_listing' WHEN contains(sources, ',') THEN 'outage' ELSE 'unconfirmed' END AS kind,
      sources
    FROM (
      SELECT *, epoch_ms(slot) // epoch_ms(${length}) - row_number() OVER (PARTITION BY elsewhere, early, sources ORDER BY slot) AS run
      FROM (
        SELECT slot, here, elsewhere, sources,
          NOT bool_or(here) OVER (ORDER BY slot ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS early,
          max(CASE WHEN here OR elsewhere THEN slot END) OVER () AS newest
        FROM (
          SELECT slot, bool_or(source = 'silver') AS here, bool_or(source IN ('monthly', 'daily', 'rest')) AS elsewhere,
            coalesce(max(sources), '') AS sources
          FROM (
            SELECT slot, source, concat_ws(',', ${fetched('daily', sql`OVER (PARTITION BY slot::DATE)`)}, ${fetched('monthly', sql`OVER ()`)}, ${fetched('rest', sql`OVER (PARTITION BY slot::DATE)`)}) AS sources
            FROM (
              SELECT ${slot(sql`${klines.open_time}`)} AS slot, 'silver' AS source FROM ${klines}
              UNION ALL
              SELECT ${slot(sql`opens`)}, source FROM (${bars(sources)})
              UNION ALL
              SELECT unnest(generate_series(${partition.start}, ${partition.end} - ${length}, ${length})), 'grid'
            )
          )
          GROUP BY slot
        )
      )
      WHERE NOT here AND slot >= ${partition.start} AND slot < ${partition.end} AND slot < newest
    )
    GROUP BY elsewhere, early, sources, run`;
  },
});

export const silverKlinesPatches = asset('silver/klines_patches', {
  ...candleAsset,
  description:
    'Bars that silver/klines lacks and another source of the same exchange has, each from the best one: what silver.klines_filled has besides, and gold/klines_daily is made of as well. Of months that are over.',
  kinds: ['table', 'sql'],
  partitions,
  inputs: { klines: ifPresent(from(silverKlines, { date: overlapping() })), ...published },
  columns: columns({
    ...candle.shape,
    filled_from: text().describe('The source of the bar: monthly, daily or rest.'),
  }),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  // The typed bar is read of those alone that are missing: `own` is NULL where silver has none of that time.
  query: ({ klines, ...sources }, { partition }) => sql`
    SELECT ${candleColumns(columnsOf('b'))}, b.source AS filled_from
    FROM (
      SELECT * FROM (${bars(sources)})
      WHERE opens >= ${partition.start} AND opens < ${partition.end}
    ) b
    LEFT JOIN (SELECT ${klines.open_time} AS own FROM ${klines}) o ON o.own = b.opens
    WHERE o.own IS NULL
    QUALIFY row_number() OVER (PARTITION BY b.opens ORDER BY b.rank, b.close_time, b.volume, b.close) = 1`,
});

/** References to the text columns of a table with an alias. */
function columnsOf(alias: string): CandleText {
  const column = (name: string) => Object.assign(sql.raw(`${alias}."${name}"`), { name });
  return Object.fromEntries(['exchange', ...klineText].map((name) => [name, column(name)])) as unknown as CandleText;
}

/** By name, so that it has whatever columns candles have. */
export const klinesFilled = view('silver/klines_filled', {
  description:
    'silver/klines, and where a bar is missing there the bar of another source of the same exchange that has it (filled_from), in months that are over. No bar is made up: an outage leaves a hole.',
  inputs: { klines: silverKlines, patches: silverKlinesPatches },
  query: ({ klines, patches }) => sql`
    SELECT *, NULL::VARCHAR AS filled_from FROM ${klines}
    UNION ALL BY NAME
    SELECT * EXCLUDE (${patches.month}), ${patches.open_time}::DATE AS date FROM ${patches}`,
});
