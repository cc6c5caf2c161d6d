import { LakehouseError } from '../common/errors.ts';
import type { AssetDefinition } from '../define/model.ts';
import { quoteIdentifier, quoteLiteral, type SqlTemplate } from '../define/sql.ts';
import { type ReadyCsv, unpackCsvs } from './archives.ts';
import type { Session, TypedColumn } from './duckdb.ts';
import { partitionColumns, partitionValues, relationColumns, varyingDimensions } from './partitions.ts';
import type { BoundInput, BoundPart } from './port.ts';
import { CARRIED_COLUMNS, PART, render, TARGET_COLUMN } from './render.ts';
import { emptyRelation, identifiers, pathList } from './types.ts';

/** Part ordinals, ascending; all of them when absent. */
export type Selected = ReadonlySet<number> | undefined;

/** An input whose parts are known to a session. */
export interface InputTable {
  readonly input: BoundInput;
  /** Rows with the target they belong to, once per (target, part) pair. */
  byTarget(selected: Selected): string;
  /** Rows with the ordinal and the span of the part they come from, once each. */
  byPart(selected: Selected): string;
  /** The part whose unpacked file this is. */
  partOfFile(path: string): BoundPart | undefined;
}

/**
 * Makes an input readable: its parts and pairs become temporary tables, zips are verified and unpacked into `scratch`.
 * @param id distinguishes the inputs of a session.
 */
export async function bindInput(
  session: Session,
  input: BoundInput,
  id: number,
  scratch: string,
  signal: AbortSignal,
): Promise<InputTable> {
  const { definition, parts, pairs } = input;
  const { storage } = definition;
  if (storage.type === 'raw' && storage.format.type === 'bytes') {
    throw new LakehouseError('input-not-a-table', `${definition.key}: files of bytes cannot be read in a query`, {
      kind: 'data',
      hint: 'Read them in a compute function.',
    });
  }
  const partTable = `__parts_${id}`;
  const pairTable = `__pairs_${id}`;
  await loadParts(session, partTable, input);
  const ordinals = Array.from({ length: pairs.length / 2 }, (_, i) => i * 2);
  await session.table(pairTable, [
    { name: '__target', type: 'INTEGER', values: ordinals.map((i) => pairs[i] ?? 0) },
    { name: '__part', type: 'INTEGER', values: ordinals.map((i) => pairs[i + 1] ?? 0) },
  ]);
  const csvs = storage.type === 'raw' ? await unpackCsvs(parts, storage.format, scratch, `in${id}`, signal) : [];

  const columns = await inputColumns(session, input);
  /** @param known a table of parts (or of pairs of parts and targets). */
  const rows = (known: string, hidden: readonly TypedColumn[], selected: Selected): string => {
    const chosen = parts.filter((_, i) => selected?.has(i) ?? true);
    const ready = csvs.filter(({ part }) => selected?.has(part) ?? true);
    if ((storage.type === 'raw' ? ready : chosen).length === 0) return emptyRelation([...columns, ...hidden]);
    const filter = selected === undefined ? '' : ` WHERE ${PART} IN (${[...selected].join(', ')})`;
    const read = storage.type === 'raw' ? csvRows : packRows;
    return read({
      definition,
      summary: input.summary,
      columns,
      hidden,
      parts: chosen,
      csvs: ready,
      known: `(SELECT * FROM ${known}${filter})`,
    });
  };
  return {
    input,
    byTarget: (selected) => rows(`"${partTable}" JOIN "${pairTable}" USING (${PART})`, [TARGET_COLUMN], selected),
    byPart: (selected) => rows(`"${partTable}"`, CARRIED_COLUMNS, selected),
    partOfFile: (path) => parts[csvs.find((csv) => csv.path === path)?.part ?? -1],
  };
}

async function loadParts(session: Session, table: string, { definition, parts }: BoundInput): Promise<void> {
  const { space } = definition;
  await session.table(table, [
    { name: '__part', type: 'INTEGER', values: parts.map((_, i) => i) },
    ...partitionValues(session.driver, space, parts),
  ]);
}

/** Columns of an input's relation. */
export async function inputColumns(
  session: Session,
  { definition, summary }: Pick<BoundInput, 'definition' | 'summary'>,
): Promise<readonly TypedColumn[]> {
  const columns = relationColumns(definition);
  if (summary === undefined) return columns;
  const found = await session.describe(`SELECT ${summaryText(summary)} FROM (${emptyRelation(columns)})`);
  return [...partitionColumns(definition.space), ...found];
}

/** Aggregates as text. They mean one partition at a time, so nothing in them depends on which. */
export function summaryText(summary: SqlTemplate): string {
  const refuse = (name: string): never => {
    throw new LakehouseError('check-invalid', `A summary of partitions cannot use '${name}'`, { kind: 'usage' });
  };
  return render(summary, { relation: refuse, partition: refuse });
}

interface Read {
  readonly definition: AssetDefinition;
  readonly summary: SqlTemplate | undefined;
  readonly columns: readonly TypedColumn[];
  readonly hidden: readonly TypedColumn[];
  readonly parts: readonly BoundPart[];
  readonly csvs: readonly ReadyCsv[];
  readonly known: string;
}

/** Rows of packs: a pack holds other partitions too, so its partition columns choose. */
function packRows({ definition, summary, columns, hidden, parts, known }: Read): string {
  const { space } = definition;
  const files = [...new Set(parts.map(({ path }) => path))];
  const varying = varyingDimensions(
    space,
    parts.map(({ values }) => values),
  );
  const keys = [...varying, ...(space.time ? [space.time.name] : [])];
  // A comparison with a constant is decided by the file's statistics, a join key is not.
  const constant = space.listed.filter(({ name }) => !varying.includes(name));
  const same = keys.map((key) => `f.${quoteIdentifier(key)} = k.${quoteIdentifier(key)}`);
  const fixed = constant.map(
    ({ name }) => `${quoteIdentifier(name)} = ${quoteLiteral(parts[0]?.values[name] ?? null)}`,
  );
  if (summary !== undefined) {
    const dimensions = partitionColumns(space);
    const own = identifiers(columns.slice(dimensions.length), 'f.');
    const grouped = keys.map(quoteIdentifier).join(', ');
    // Aggregated once, however many targets read the part; a part without rows still is one.
    return `SELECT ${[identifiers(dimensions, 'k.'), own, identifiers(hidden, 'k.')].filter((text) => text !== '').join(', ')}
FROM ${known} k LEFT JOIN (SELECT ${[...keys.map(quoteIdentifier), summaryText(summary)].join(', ')} FROM read_parquet(${pathList(files)}, hive_partitioning = false) WHERE ${fixed.join(' AND ') || 'TRUE'}${grouped ? ` GROUP BY ${grouped}` : ''}) f ON ${same.join(' AND ') || 'TRUE'}`;
  }
  const conditions = [...same, ...fixed.map((condition) => `f.${condition}`)];
  return `SELECT ${identifiers(columns, 'f.')}, ${identifiers(hidden, 'k.')}
FROM read_parquet(${pathList(files)}, hive_partitioning = false) f JOIN ${known} k ON ${conditions.join(' AND ') || 'TRUE'}`;
}

/** Rows of unpacked CSVs. Files with and without a header, or with fewer columns, are reads of their own: DuckDB takes one answer for a list. */
function csvRows({ definition, columns, hidden, csvs, known }: Read): string {
  const dimensions = partitionColumns(definition.space);
  const texts = columns.slice(dimensions.length);
  const shapes = Map.groupBy(csvs, ({ header, fields }) => `${header} ${fields ?? texts.length}`);
  const reads = [...shapes.values()].map((files) => {
    const { header = false, fields = texts.length } = files[0] ?? {};
    const there = texts.slice(0, fields);
    const lacking = texts.slice(fields).map(({ name, type }) => `NULL::${type} AS ${quoteIdentifier(name)}`);
    const types = there.map(({ name, type }) => `${quoteLiteral(name)}: '${type}'`).join(', ');
    const options = `columns = {${types}}, header = ${header}, auto_detect = false, delim = ',', quote = '"', escape = '"', strict_mode = true`;
    // file_index is the place in the list: a number per file costs nothing, while its name would be built for every row.
    return `SELECT ${['o.part AS "__file"', identifiers(there, 'c.'), ...lacking].join(', ')}
FROM read_csv(${pathList(files.map(({ path }) => path))}, ${options}) c
JOIN (VALUES ${files.map(({ part }, i) => `(${i}, ${part})`).join(', ')}) o(place, part) ON c.file_index = o.place`;
  });
  const list = [identifiers(dimensions, 'k.'), identifiers(texts, 'f.'), identifiers(hidden, 'k.')].filter(
    (text) => text !== '',
  );
  return `SELECT ${list.join(', ')} FROM (\n${reads.join('\nUNION ALL\n')}\n) f JOIN ${known} k ON f."__file" = k.${PART}`;
}
