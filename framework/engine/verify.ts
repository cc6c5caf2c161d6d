import { LakehouseError } from '../common/errors.ts';
import type { AssetDefinition, ColumnDefinition } from '../define/model.ts';
import { quoteIdentifier } from '../define/sql.ts';
import { printKey, type SeriesValues } from '../partition/space.ts';
import type { Session } from './duckdb.ts';
import type { Versioning } from './hash.ts';
import { jsonRow } from './json.ts';
import { bucketSql, identityOf, indexOfText, partitionColumns, partitionCondition, timeText } from './partitions.ts';
import type { BatchTarget } from './port.ts';
import { pathList } from './types.ts';

/** What the checks say of one partition. */
export interface CheckFacts {
  readonly values: SeriesValues;
  readonly time: number;
  readonly rows: number;
  /** Rows for which each predicate is true. */
  readonly matched: readonly number[];
  /** Per proof, whether it holds. */
  readonly proven: readonly boolean[];
}

/** What one partition in the written files turned out to be. */
export interface PartitionFacts extends CheckFacts {
  readonly version: Uint8Array;
  /** Rows with NULL per column that must not have any. */
  readonly nulls: readonly { readonly column: string; readonly rows: number }[];
  /** Rows less than `sortBy` tells apart. */
  readonly duplicates: number;
  /** Rows whose `timeColumn` lies in another partition. */
  readonly outside: number;
}

/** What a read-back evaluates for the checks of an asset, over the columns of a pack. */
export interface CheckExpressions {
  /** Conditions for bad rows: one per check on rows, in the order of the definition. */
  readonly predicates: readonly string[];
  /** Aggregates that are TRUE where a check's query has nothing to find: one per query that has such, in the order of the definition. */
  readonly proofs: readonly (string | undefined)[];
}

export interface ReadBack {
  readonly definition: AssetDefinition;
  readonly columns: readonly ColumnDefinition[];
  readonly versioning: Versioning;
  readonly paths: readonly string[];
  /** The value of each listed dimension that all partitions in the files share; the others are read. */
  readonly constant: SeriesValues;
  readonly checks: CheckExpressions;
}

/** Reads written packs in one scan: everything that must hold of them, per partition. Partitions without rows do not show. */
export async function readBack(session: Session, request: ReadBack): Promise<Map<string, PartitionFacts>> {
  const { definition, columns, versioning, paths } = request;
  const required = await suspects(session, columns, paths);
  const found = await scan(session, request, [
    `${versioning.sumSql} AS h`,
    `${duplicatesSql(definition.sortBy)} AS d`,
    `${countIf(outsideSql(definition))} AS o`,
    ...required.map(({ name }, i) => `count(*) - count(${quoteIdentifier(name)}) AS n${i}`),
  ]);
  return new Map(
    [...found].map(([identity, { row, ...facts }]) => [
      identity,
      {
        ...facts,
        version: versioning.version(facts.rows, BigInt(String(row.h))),
        nulls: required.map(({ name }, i) => ({ column: name, rows: Number(row[`n${i}`]) })).filter((n) => n.rows > 0),
        duplicates: Number(row.d),
        outside: Number(row.o),
      },
    ]),
  );
}

/** What the checks say of partitions, without anything else. */
export function readChecks(
  session: Session,
  request: Pick<ReadBack, 'definition' | 'paths' | 'constant' | 'checks'>,
): Promise<Map<string, CheckFacts>> {
  return scan(session, request, []);
}

async function scan(
  session: Session,
  { definition, paths, constant, checks }: Pick<ReadBack, 'definition' | 'paths' | 'constant' | 'checks'>,
  facts: readonly string[],
): Promise<Map<string, CheckFacts & { readonly row: Readonly<Record<string, unknown>> }>> {
  const { predicates, proofs } = checks;
  const { space } = definition;
  const listed = space.listed.map(({ name }) => name).filter((name) => constant[name] === undefined);
  const keys = [
    ...listed.map((name, i) => `${quoteIdentifier(name)} AS k${i}`),
    ...(space.time ? [`${quoteIdentifier(space.time.name)} AS kt`] : []),
  ];
  const values = [
    'count(*) AS n',
    ...facts,
    ...predicates.map((predicate, i) => `${countIf(predicate)} AS p${i}`),
    ...proofs.flatMap((proof, i) => (proof === undefined ? [] : [`(${proof}) AS q${i}`])),
  ];
  const inner = `SELECT ${[...keys, ...values].join(', ')} FROM ${packsSql(paths)}${keys.length > 0 ? ` GROUP BY ${keys.map((_, i) => i + 1).join(', ')}` : ' HAVING count(*) > 0'}`;
  const rows = await session.rows(`SELECT *${space.time ? `, ${timeText('kt')} AS ktext` : ''} FROM (${inner})`);
  return new Map(
    rows.map((row) => {
      const own: Record<string, string> = { ...constant };
      listed.forEach((name, i) => {
        own[name] = String(row[`k${i}`]);
      });
      const time = space.time ? indexOfText(space.time.grain, String(row.ktext)) : 0;
      const found = {
        values: own,
        time,
        rows: Number(row.n),
        matched: predicates.map((_, i) => Number(row[`p${i}`])),
        proven: proofs.map((_, i) => row[`q${i}`] === true),
        row,
      };
      return [identityOf(space, own, time), found];
    }),
  );
}

/** Columns that must not hold NULL, without those of which the files' own statistics say that they hold none. */
async function suspects(
  session: Session,
  columns: readonly ColumnDefinition[],
  paths: readonly string[],
): Promise<ColumnDefinition[]> {
  const required = columns.filter(({ nullable }) => !nullable);
  if (required.length === 0) return [];
  const rows = await session.rows(
    `SELECT path_in_schema AS name, bool_and(coalesce(stats_null_count = 0, FALSE)) AS clean FROM parquet_metadata(${pathList(paths)}) GROUP BY 1`,
  );
  const clean = new Set(rows.flatMap(({ name, clean: none }) => (none === true ? [String(name)] : [])));
  return required.filter(({ name }) => !clean.has(name));
}

/** Refuses what must not be committed, naming the first partition and its rows. Throws `null-in-column`, `rows-outside-partition`, `duplicate-rows`. */
export async function refuseBadRows(
  session: Session,
  { definition, paths }: ReadBack,
  targets: readonly BatchTarget[],
  factsOf: (target: BatchTarget) => PartitionFacts | undefined,
): Promise<void> {
  const bad = targets.flatMap((target, ordinal) => {
    const facts = factsOf(target);
    return facts && (facts.nulls.length > 0 || facts.outside > 0 || facts.duplicates > 0)
      ? [{ target, ordinal, facts }]
      : [];
  });
  const [first] = bad;
  if (first === undefined) return;
  const { target, facts } = first;
  const { space, sortBy, timeColumn } = definition;
  const mine = partitionCondition(space, target.values, target.time);
  const select = async (what: string) => (await session.rows(what)).map(jsonRow);
  const rowsWhere = (condition: string) =>
    select(`SELECT * FROM ${packsSql(paths)} WHERE ${mine} AND ${condition} LIMIT 3`);
  const others = bad.length > 1 ? ` (${bad.length - 1} more partitions of the batch have such rows)` : '';
  const fail = (code: string, what: string, sample: readonly unknown[], hint?: string): never => {
    throw new LakehouseError(
      code,
      `${definition.key} ${target.key}: ${what}${others}: ${sample.map((row) => JSON.stringify(row)).join(', ')}`,
      {
        kind: 'data',
        hint,
        details: { asset: definition.key, partition: target.key, targets: bad.map(({ ordinal }) => ordinal), sample },
      },
    );
  };
  const [hole] = facts.nulls;
  if (hole !== undefined) {
    const sample = await rowsWhere(`${quoteIdentifier(hole.column)} IS NULL`);
    fail(
      'null-in-column',
      `${count(hole.rows, 'row')} with NULL in '${hole.column}', which is not nullable`,
      sample,
      'Declare the column nullable(), or filter such rows out.',
    );
  }
  if (facts.outside > 0 && timeColumn !== undefined) {
    const sample = await rowsWhere(outsideSql(definition));
    fail(
      'rows-outside-partition',
      `${count(facts.outside, 'row')} whose '${timeColumn}' lies outside the partition`,
      sample,
      'A query must return the rows of its own partition only: filter by the partition’s start and end.',
    );
  }
  const keys = sortBy.map(quoteIdentifier).join(', ');
  const sample = await select(
    `SELECT ${keys ? `${keys}, ` : ''}count(*) AS "rows" FROM ${packsSql(paths)} WHERE ${mine} ${keys ? `GROUP BY ${keys}` : ''} HAVING count(*) > 1 ORDER BY ALL LIMIT 3`,
  );
  const key = sortBy.length > 0 ? `the same ${sortBy.join(', ')}` : 'no sort order to tell them apart';
  fail(
    'duplicate-rows',
    `rows with ${key}`,
    sample,
    'sortBy must be unique within a partition: remove duplicates in the query, e.g. with QUALIFY row_number() OVER (…) = 1.',
  );
}

/** A condition for rows of another partition, over the pack's columns. */
export function outsideSql({ space, timeColumn }: AssetDefinition): string {
  if (!space.time || timeColumn === undefined) return 'FALSE';
  const column = quoteIdentifier(timeColumn);
  return `${bucketSql(space.time.grain, column)} <> ${quoteIdentifier(space.time.name)}`;
}

export function packsSql(paths: readonly string[]): string {
  return `read_parquet(${pathList(paths)}, hive_partitioning = false)`;
}

/** Listed values that all of these partitions share. */
export function constantValues(definition: AssetDefinition, all: readonly SeriesValues[]): SeriesValues {
  const [first] = all;
  const names = partitionColumns(definition.space).map(({ name }) => name);
  if (first === undefined) return {};
  return Object.fromEntries(
    Object.entries(first).filter(
      ([name, value]) => names.includes(name) && all.every((values) => values[name] === value),
    ),
  );
}

/** A partition of a file that nobody asked for, or a file that does not hold what was written. */
export function refuseStrangers(
  definition: AssetDefinition,
  found: ReadonlyMap<string, PartitionFacts>,
  expected: ReadonlySet<string>,
): void {
  for (const [identity, { values, time }] of found) {
    if (expected.has(identity)) continue;
    throw new LakehouseError(
      'write-verify',
      `${definition.key}: the written file holds ${printKey(definition.space, { values, time })}, which was not asked for`,
      { kind: 'internal' },
    );
  }
}

/** How many rows too many there are for `sortBy` to be unique; without a sort order there may be one row. */
function duplicatesSql(sortBy: readonly string[]): string {
  const keys = sortBy.map(quoteIdentifier).join(', ');
  if (sortBy.length === 0) return 'greatest(count(*) - 1, 0)';
  if (sortBy.length > 1) return `count(*) - count(DISTINCT (${keys}))`;
  return `count(*) - count(DISTINCT ${keys}) - CAST(count(${keys}) < count(*) AS INTEGER)`;
}

function countIf(condition: string): string {
  return condition === 'FALSE' ? '0' : `count(*) FILTER (WHERE (${condition}) IS TRUE)`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
