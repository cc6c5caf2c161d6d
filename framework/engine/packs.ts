import { stat } from 'node:fs/promises';
import { LakehouseError } from '../common/errors.ts';
import type { AssetDefinition, ColumnDefinition } from '../define/model.ts';
import { quoteIdentifier, quoteLiteral } from '../define/sql.ts';
import type { Session } from './duckdb.ts';
import { partitionColumns, partitionValues, varyingDimensions } from './partitions.ts';
import type { BatchTarget, PackWrite } from './port.ts';
import { TARGET } from './render.ts';
import { identifiers, pathList } from './types.ts';

/** Pinned: the same rows must be the same bytes, in every batch and on every machine. */
const FORMAT = 'FORMAT parquet, PARQUET_VERSION V2, COMPRESSION zstd, ROW_GROUP_SIZE 122880';

export interface PackSource {
  /** A query with `__target` and the data columns, of the targets of this pack and perhaps others; undefined if there is none. */
  readonly sql: string | undefined;
  /** The table of targets, with their partition columns. */
  readonly targets: string;
}

/**
 * Writes one pack: the rows of its targets and the partitions it carries over, ordered by partition and `sortBy`.
 * @returns rows in the file.
 */
export async function writePack(
  session: Session,
  definition: AssetDefinition,
  columns: readonly ColumnDefinition[],
  pack: PackWrite,
  targets: readonly BatchTarget[],
  source: PackSource,
  id: number,
): Promise<number> {
  const { space, sortBy } = definition;
  const partition = partitionColumns(space);
  const kept = pack.carry.flatMap(({ keep }) => keep);
  const all = [...pack.targets.flatMap((ordinal) => targets[ordinal] ?? []), ...kept];
  const varying = varyingDimensions(
    space,
    all.map(({ values }) => values),
  ).map((name) => ({ name }));
  const time = space.time ? [{ name: space.time.name }] : [];

  const queries: string[] = [];
  if (source.sql !== undefined && pack.targets.length > 0) {
    const mine = pack.targets.length === targets.length ? '' : ` WHERE t.${TARGET} IN (${pack.targets.join(', ')})`;
    const list = [identifiers(partition, 't.'), identifiers(columns, 's.')].filter((text) => text !== '').join(', ');
    queries.push(
      `SELECT ${list} FROM (\n${source.sql}\n) s JOIN "${source.targets}" t ON s.${TARGET} = t.${TARGET}${mine}`,
    );
  }
  for (const [i, { path, keep }] of pack.carry.entries()) {
    if (keep.length === 0) continue;
    if (!(await isCarriable(session, definition, columns, path))) {
      throw new LakehouseError('carry-schema', `${definition.key}: ${path} has other columns than the asset has now`, {
        kind: 'data',
        hint: 'Partitions of older code cannot share a file with new ones: compute all partitions of the file together.',
      });
    }
    const table = `__keep_${id}_${i}`;
    await session.table(table, partitionValues(session.driver, space, keep));
    const on = partition.map(({ name }) => `f.${quoteIdentifier(name)} = k.${quoteIdentifier(name)}`).join(' AND ');
    const list = identifiers([...partition, ...columns], 'f.');
    queries.push(
      `SELECT ${list} FROM read_parquet(${pathList([path])}, hive_partitioning = false) f JOIN "${table}" k ON ${on || 'TRUE'}`,
    );
  }
  if (queries.length === 0) {
    throw new LakehouseError('empty-pack', `${definition.key}: a pack without partitions: ${pack.path}`, {
      kind: 'internal',
    });
  }
  const order = [...varying, ...time, ...sortBy.map((name) => ({ name }))];
  const orderBy =
    order.length > 0
      ? `\nORDER BY ${order.map(({ name }) => `${quoteIdentifier(name)} ASC NULLS LAST`).join(', ')}`
      : '';
  return session.run(`COPY (\n${queries.join('\nUNION ALL\n')}${orderBy}\n) TO ${quoteLiteral(pack.path)} (${FORMAT})`);
}

export async function fileSize(path: string): Promise<number> {
  return (await stat(path)).size;
}

/** Whether partitions may be copied out of a pack as they are: it has the asset's columns, in type and order. */
export async function isCarriable(
  session: Session,
  definition: AssetDefinition,
  columns: readonly ColumnDefinition[],
  path: string,
): Promise<boolean> {
  const found = await session.describe(`SELECT * FROM read_parquet(${pathList([path])}, hive_partitioning = false)`);
  const wanted = [...partitionColumns(definition.space), ...columns];
  return (
    found.length === wanted.length &&
    found.every(({ name, type }, i) => name === wanted[i]?.name && type === wanted[i]?.type)
  );
}
