const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Words behind which the name of a table stands. */
export const BEFORE_TABLES = words('FROM JOIN DESCRIBE DESC SUMMARIZE SHOW PIVOT UNPIVOT TABLE');

/** Words that begin a part of a statement: what stands behind them is of another kind than before. */
export const CLAUSES = words(`
  SELECT WHERE GROUP ORDER HAVING QUALIFY WINDOW LIMIT OFFSET ON USING WITH VALUES UNION INTERSECT EXCEPT BY SAMPLE
  ${BEFORE_TABLES.join(' ')}
`);

/** Words that a statement can begin with. */
export const BEGINNINGS = words('SELECT FROM WITH DESCRIBE SUMMARIZE SHOW EXPLAIN PIVOT UNPIVOT VALUES');

/** Words of DuckDB's SQL that reading needs. */
export const KEYWORDS = words(`
  ALL AND ANTI ANY ARRAY AS ASC ASOF BETWEEN BY CASE CAST COLUMNS CROSS DATE DESC DESCRIBE DISTINCT ELSE END EXCEPT EXCLUDE
  EXISTS EXPLAIN FALSE FILTER FIRST FOLLOWING FROM FULL GROUP HAVING ILIKE IN INNER INTERSECT INTERVAL IS JOIN LAST LATERAL
  LEFT LIKE LIMIT NATURAL NOT NULL NULLS OFFSET ON OR ORDER OUTER OVER PARTITION PIVOT POSITIONAL PRECEDING QUALIFY RANGE
  RECURSIVE REPLACE RIGHT ROWS SAMPLE SELECT SEMI SHOW SUMMARIZE TABLES THEN TIMESTAMP TRUE TRY_CAST UNBOUNDED UNION UNNEST
  UNPIVOT USING VALUES WHEN WHERE WINDOW WITH
`);

/** Functions that tables of prices and trades are asked with most. */
export const FUNCTIONS = words(`
  abs any_value arg_max arg_min array_agg avg ceil coalesce concat corr count date_diff date_part date_trunc dayname dense_rank
  epoch epoch_ms exp extract first first_value floor greatest histogram ifnull lag last last_value lead least length list ln log
  lower ltrim max median min mode monthname now nullif percent_rank power quantile quantile_cont range rank regexp_matches
  replace round row_number rtrim sign split_part sqrt stddev strftime string_agg strptime substring sum time_bucket today trim
  upper var_pop variance year month day hour
`);
