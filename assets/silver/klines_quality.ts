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
  window,
} from 'crypto-lakehouse';
import { bronzeKlinesDaily, bronzeKlinesMonthly, bronzeKlinesRest } from '../bronze/klines.ts';
import { date, exchange, interval, market, symbol } from '../dimensions.ts';
import { barInterval, candle, candleAsset } from '../klines.ts';
import { type CandleText, candleColumns } from './candles.ts';
import { silverKlines } from './klines.ts';

// Nothing here makes up a bar. What is compared and what fills a hole is what the exchange published elsewhere: in the daily file, the
// monthly one, or in an answer of its REST interface, as far as they were fetched.

const partitions = { exchange, market, symbol, interval, date };

/** Whatever was fetched of the day, best first. */
const published = {
  monthly: ifPresent(from(bronzeKlinesMonthly, { month: overlapping() })),
  daily: ifPresent(bronzeKlinesDaily),
  rest: ifPresent(bronzeKlinesRest),
} as const;

type Published = Readonly<Record<keyof typeof published, CandleText & Parameters<typeof sql.join>[0][number]>>;

/** Typed bars of all sources, with the name and the rank of each. A monthly file gives its whole month. */
function bars({ monthly, daily, rest }: Published): SqlTemplate {
  const of = (source: string, rank: number, raw: Published['daily']) =>
    sql`SELECT ${source} AS source, ${rank} AS rank, ${candleColumns(raw)} FROM ${raw}`;
  return sql.join([of('monthly', 1, monthly), of('daily', 2, daily), of('rest', 3, rest)], ' UNION ALL ');
}

const compared = [
  'open',
  'high',
  'low',
  'close',
  'volume',
  'close_time',
  'quote_volume',
  'count',
  'taker_buy_volume',
  'taker_buy_quote_volume',
] as const;

/** `close: 1.00 / 2.00` for each of the values in which two bars differ; empty where they do not. */
const differences = (best: string, other: string): SqlTemplate => {
  const parts = compared.map((name, i) => {
    const [b, w] = [`${best}[${i + 1}]`, `${other}[${i + 1}]`];
    return `CASE WHEN ${b} IS DISTINCT FROM ${w} THEN '${name}: ' || coalesce(${b}, 'NULL') || ' / ' || coalesce(${w}, 'NULL') END`;
  });
  return sql.raw(`concat_ws(', ', ${parts.join(', ')})`);
};

export const silverKlinesReconciliation = asset('silver/klines_reconciliation', {
  ...candleAsset,
  description:
    'Where the monthly file, the daily file and REST do not say the same, as far as each was fetched: one row per bar and disagreement, none where all agree.',
  kinds: ['table', 'sql'],
  partitions,
  inputs: { klines: silverKlines, ...published },
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
      description: 'All sources of a day say the same.',
    }),
  ],
  // One row for each bar with what each source says of it; what is compared is text, so that one list holds it.
  query: (inputs, { partition }) => {
    const values = sql.raw(`[${compared.map((name) => `${name}::VARCHAR`).join(', ')}]`);
    const of = (rank: number) =>
      sql`min(said) FILTER (WHERE rank = ${rank}) AS said_${sql.raw(String(rank))}, count(*) FILTER (WHERE rank = ${rank}) AS copies_${sql.raw(String(rank))}`;
    const told = (source: string, rank: number) =>
      sql.raw(`{source: '${source}', said: said_${rank}, copies: copies_${rank}, fetched: fetched_${rank}}`);
    return sql`
    SELECT open_time, s.source AS source, problem, best_source, CASE problem WHEN 'differs' THEN difference WHEN 'duplicate' THEN s.copies || ' times' END AS detail
    FROM (
      SELECT open_time, best_source, s, difference, unnest([
        CASE WHEN s.copies = 0 AND s.fetched THEN 'missing' END,
        CASE WHEN s.copies > 0 AND difference <> '' THEN 'differs' END,
        CASE WHEN s.copies > 1 THEN 'duplicate' END
      ]) AS problem
      FROM (
        SELECT *, ${differences('best', 's.said')} AS difference
        FROM (
          SELECT
            open_time,
            coalesce(said_1, said_2, said_3) AS best,
            CASE WHEN copies_1 > 0 THEN 'monthly' WHEN copies_2 > 0 THEN 'daily' ELSE 'rest' END AS best_source,
            unnest([${sql.join([told('monthly', 1), told('daily', 2), told('rest', 3)])}]) AS s
          FROM (
            SELECT open_time, ${sql.join([of(1), of(2), of(3)])}, bool_or(fetched_1) AS fetched_1, bool_or(fetched_2) AS fetched_2, bool_or(fetched_3) AS fetched_3
            FROM (
              SELECT open_time, rank, ${values} AS said, bool_or(rank = 1) OVER () AS fetched_1, bool_or(rank = 2) OVER () AS fetched_2, bool_or(rank = 3) OVER () AS fetched_3
              FROM (${bars(inputs)})
            )
            WHERE open_time >= ${partition.start} AND open_time < ${partition.end}
            GROUP BY open_time
          )
        )
      )
    )
    WHERE problem IS NOT NULL`;
  },
});

export const silverKlinesGaps = asset('silver/klines_gaps', {
  ...candleAsset,
  description:
    'Bars that are missing in silver/klines, as ranges, and what is known of why. Days that are not published yet are no gaps: they are partitions that are awaited.',
  kinds: ['table', 'sql'],
  partitions,
  inputs: { klines: from(silverKlines, { date: window({ days: 1 }) }), ...published },
  columns: columns({
    gap_start: timestamp().describe('Start of the first missing bar, UTC.'),
    gap_end: timestamp().describe('End (exclusive) of the last missing bar, or of the day.'),
    bars: integer().describe('How many bars are missing.'),
    kind: text().describe(
      'missing_in_source: another source has bars of it, see silver/klines_filled. outage: two sources or more have the day, and none has the bars. unconfirmed: only one source was fetched. before_listing: nothing is known of the day before, and the day begins without bars.',
    ),
    sources: text().describe('The sources of the day that were fetched, e.g. daily,monthly.'),
  }),
  sortBy: ['gap_start', 'kind'],
  timeColumn: 'gap_start',
  // Bars that open off the grid (the exchange had some after outages) stand for the slot in which they open.
  query: ({ klines, ...sources }, { partition }) => {
    const length = barInterval(partition);
    const slot = (time: SqlTemplate) => sql`time_bucket(${length}, ${time}, TIMESTAMP '1970-01-01')`;
    return sql`
    SELECT
      min(slot) AS gap_start,
      max(slot) + ${length} AS gap_end,
      count(*)::INTEGER AS bars,
      CASE WHEN elsewhere THEN 'missing_in_source' WHEN early THEN 'before_listing' WHEN bool_or(contains(sources, ',')) THEN 'outage' ELSE 'unconfirmed' END AS kind,
      min(sources) AS sources
    FROM (
      SELECT *, epoch_ms(slot) // epoch_ms(${length}) - row_number() OVER (PARTITION BY elsewhere, early ORDER BY slot) AS run
      FROM (
        SELECT
          slot,
          here,
          elsewhere,
          NOT bool_or(here) OVER (ORDER BY slot ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS early,
          concat_ws(',',
            CASE WHEN bool_or(daily) OVER () THEN 'daily' END,
            CASE WHEN bool_or(monthly) OVER () THEN 'monthly' END,
            CASE WHEN bool_or(rest) OVER () THEN 'rest' END
          ) AS sources
        FROM (
          SELECT slot, bool_or(source = 'silver') AS here, bool_or(source IN ('monthly', 'daily', 'rest')) AS elsewhere,
            bool_or(source = 'daily') AS daily, bool_or(source = 'monthly') AS monthly, bool_or(source = 'rest') AS rest
          FROM (
            SELECT ${slot(sql`${klines.open_time}`)} AS slot, 'silver' AS source FROM ${klines}
            UNION ALL
            SELECT ${slot(sql`open_time`)}, source FROM (${bars(sources)})
            UNION ALL
            SELECT unnest(generate_series(${partition.start}, ${partition.end} - ${length}, ${length})), 'grid'
          )
          GROUP BY slot
        )
      )
      WHERE NOT here AND slot >= ${partition.start} AND slot < ${partition.end}
    )
    GROUP BY elsewhere, early, run`;
  },
});

export const silverKlinesFilled = asset('silver/klines_filled', {
  ...candleAsset,
  description:
    'silver/klines, and where a bar is missing there the bar of another source of the same exchange that has it. Still no bar is made up: an outage leaves a hole.',
  kinds: ['table', 'sql'],
  partitions,
  inputs: { klines: silverKlines, ...published },
  columns: columns({
    ...candle.shape,
    filled_from: text()
      .nullable()
      .describe('The source of a bar that silver/klines does not have: monthly, daily or rest.'),
  }),
  sortBy: ['open_time'],
  timeColumn: 'open_time',
  query: ({ klines, ...sources }, { partition }) => {
    const names = sql.join(Object.keys(candle.shape).map((name) => sql.raw(`"${name}"`)));
    return sql`
    WITH own AS (SELECT ${names} FROM ${klines}),
    bars AS (${bars(sources)})
    SELECT ${names}, NULL::VARCHAR AS filled_from FROM own
    UNION ALL
    SELECT ${names}, source FROM (
      SELECT * FROM bars
      WHERE open_time >= ${partition.start} AND open_time < ${partition.end} AND open_time NOT IN (SELECT open_time FROM own)
      QUALIFY row_number() OVER (PARTITION BY open_time ORDER BY rank, close_time, volume) = 1
    )`;
  },
});
